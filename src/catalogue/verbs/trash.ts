/** The verbs about deleted containers. */
import * as z from 'zod';
import type { TrashList, TrashPurged, TrashRestored } from '../../domain/results/trash.ts';
import { someText, username } from '../declaration/schema.ts';
import { showSize, showTime } from '../declaration/show.ts';
import { defineVerb, type Argument } from '../declaration/verb.ts';
import { changeEnds, readEnds, yesOption } from './shared.ts';

const arguments_: readonly [Argument, Argument] = [
  {
    kind: 'argument',
    name: 'user',
    summary: 'user whose container was deleted',
    required: true,
    complete: 'trashUsers',
  },
  {
    kind: 'argument',
    name: 'name',
    summary: 'name in the trash, for a user with several deleted containers',
    required: false,
    complete: 'trashNames',
  },
];
const name = someText(63).optional();
const notInTrash = 'the trash has no container of this user, or none of this name';

export const trashList = defineVerb({
  name: 'trash list',
  aliases: ['trash ls'],
  summary: 'List deleted containers that can be restored',
  description: [
    'They are stopped, have no account and no address, and are purged at the time shown (`trash.keep`). If the pool runs low they are purged earlier, in the order of the list (`trash.minFreePercent`); it is announced an hour before.',
  ],
  examples: [{ line: 'trash list', says: 'whose, deleted when and by whom, kept until when' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
  ends: readEnds,
  view: ({ trashed }: TrashList, context) => [
    {
      kind: 'table',
      noun: 'Deleted container',
      columns: [
        { title: 'USER', priority: 1 },
        { title: 'DELETED', priority: 2 },
        { title: 'BY', priority: 4 },
        { title: 'KEPT UNTIL', priority: 1 },
        { title: 'HOLDS', priority: 3, align: 'right' },
        { title: 'NAME', priority: 5 },
      ],
      rows: trashed.map((one) => [
        one.user,
        showTime(one.deletedAt, context),
        one.deletedBy,
        showTime(one.until, context),
        showSize(one.diskUsedBytes),
        one.name,
      ]),
      empty: 'The trash is empty',
    },
  ],
  rows: ({ trashed }) => ({
    columns: ['user', 'name', 'deleted_at', 'deleted_by', 'until', 'disk_used_bytes', 'snapshots'],
    rows: trashed.map((one) => [
      one.user,
      one.name,
      one.deletedAt,
      one.deletedBy,
      one.until,
      one.diskUsedBytes,
      one.snapshots,
    ]),
  }),
});

export const trashRestore = defineVerb({
  name: 'trash restore',
  summary: 'Restore a deleted container with its account, keys and snapshots',
  description: [
    'The container has its files, limits, labels and keys as before, and runs again if it ran. It has its address too, unless that had to be given to another. If the user has a new container since, it must be deleted first.',
  ],
  examples: [{ line: 'trash restore alice', says: 'undoes "delete alice"' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  target: 'user',
  parameters: arguments_,
  input: () => z.strictObject({ user: username, name }),
  ends: {
    ...changeEnds,
    notFound: notInTrash,
    conflict: 'the user has a container or an account again, or another operation on this user is still running',
  },
  view: (result: TrashRestored) => [
    {
      kind: 'text',
      tone: 'good',
      text: `Container ${result.container} is back, ${result.status}, with the jump account ${result.user}`,
    },
    ...(result.isNewAddress
      ? [
          {
            kind: 'text' as const,
            tone: 'warn' as const,
            text: `Its address is ${result.address} now, because another container has its old one`,
          },
        ]
      : []),
  ],
});

export const trashPurge = defineVerb({
  name: 'trash purge',
  summary: 'Delete a container in the trash for good',
  examples: [{ line: 'trash purge alice --yes', says: 'her deleted container and its snapshots; the space is free' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'type-name',
  confirmation: { property: 'user', warning: () => 'This cannot be undone.' },
  wantsTouch: true,
  target: 'user',
  parameters: [...arguments_, yesOption],
  input: () =>
    z.strictObject({
      user: username,
      name,
      yes: z.boolean().optional(),
      confirm: z.string().max(64).optional(),
    }),
  ends: {
    ...changeEnds,
    notFound: notInTrash,
    cancelled: 'the purge was not confirmed; nothing was changed',
  },
  view: (result: TrashPurged) => [
    {
      kind: 'text',
      tone: 'good',
      text: `${result.name} deleted for good${result.freedBytes === null ? '' : `, ${showSize(result.freedBytes)} freed`}`,
    },
  ],
});
