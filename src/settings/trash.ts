/** Settings of deleted containers, and of those that are deleted by themselves. */
import * as z from 'zod';
import { span } from './types.ts';

export const trashSettings = z
  .strictObject({
    keep: span.default('7d').describe('How long a deleted container is kept before it is purged.'),
    minFreePercent: z
      .number()
      .int()
      .min(0)
      .max(90)
      .default(10)
      .describe(
        'Free space of the pool, in percent, below which deleted containers are purged early, the oldest first. If that is not enough, scheduled snapshots are deleted, the oldest first, but never the newest of a container, nor one that a person or a restore has made. It is announced an hour before. 0 for never.',
      ),
  })
  .prefault({})
  .describe('Deleted containers. Durations as in `7d` or `12h`.');

export const ttlSettings = z
  .strictObject({
    warn: span
      .default('3d')
      .describe('How long before a container moves to the trash by itself its owner and the admins are told.'),
  })
  .prefault({})
  .describe('Containers that are deleted by themselves (`create --ttl`, `ttl set`).');
