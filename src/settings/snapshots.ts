/** Settings of snapshots. */
import * as z from 'zod';
import { snapshotFrequencies } from '../domain/values/snapshotName.ts';
import { span } from './types.ts';

export const snapshotSettings = z
  .strictObject({
    every: z
      .enum(snapshotFrequencies)
      .default('daily')
      .describe(
        'How often Incus makes a snapshot of each running container for which `snapshot schedule` says nothing else.',
      ),
    keep: span
      .default('30d')
      .describe('How long scheduled snapshots are kept, unless the pool runs low (`trash.minFreePercent`).'),
    own: z
      .number()
      .int()
      .min(0)
      .max(1000)
      .default(5)
      .describe('Number of snapshots that an owner may have made at `self@`; 0 for none.'),
    keepBeforeRestore: span
      .default('7d')
      .describe('How long the snapshot is kept that `snapshot restore` makes of what it replaces.'),
  })
  .prefault({})
  .describe('Snapshots. Incus makes and deletes the scheduled ones by itself. Durations as in `30d` or `12h`.');
