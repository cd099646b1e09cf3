/** The verbs about the end of a container's life. */
import * as z from 'zod';
import type { LifetimeChange } from '../../domain/results/lifetime.ts';
import { untilWhen, username } from '../declaration/schema.ts';
import { showDate } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block } from '../declaration/view.ts';
import { containerChange, userArgument } from './shared.ts';

const common = {
  ...containerChange,
  view: ({ container, expiresAt, changed }: LifetimeChange): Block[] => [
    {
      kind: 'text',
      tone: changed ? 'good' : 'quiet',
      text: `${container} ${
        expiresAt === null ? 'stays until it is deleted' : `moves to the trash at ${showDate(expiresAt)}`
      }`,
    },
  ],
} as const;

export const ttlSet = defineVerb({
  ...common,
  name: 'ttl set',
  summary: 'Let a container move to the trash by itself at a time',
  description: [
    'Its owner is told at self@ beforehand, and so are the admins (`ttl.warn`). When the time has come, the container is deleted as by `delete`: it can be restored from the trash. A protected container stays.',
  ],
  examples: [
    { line: 'ttl set alice 30d', says: 'in thirty days' },
    { line: 'ttl set alice 2027-01-31', says: 'at midnight UTC' },
  ],
  form: {},
  parameters: [
    userArgument,
    { kind: 'argument', name: 'when', summary: 'a duration such as 30d, or a time', required: true },
  ],
  input: () => z.strictObject({ user: username, when: untilWhen }),
});

export const ttlClear = defineVerb({
  ...common,
  name: 'ttl clear',
  summary: 'Keep a container until it is deleted',
  examples: [{ line: 'ttl clear alice', says: 'no end of its own any more' }],
  parameters: [userArgument],
  input: () => z.strictObject({ user: username }),
});
