/** The verbs that make, list and delete backups of containers. */
import * as z from 'zod';
import type { BackupCreated, BackupDeleted, BackupList, ListedBackup } from '../../domain/results/backups.ts';
import { plural } from '../../domain/text.ts';
import { username } from '../declaration/schema.ts';
import { showSize, showTime, yesNo } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, ViewContext } from '../declaration/view.ts';
import { backupArgument, backupId, ends, off, whoseArgument } from './backupParts.ts';
import { noContainer, readEnds, userArgument, yesOption } from './shared.ts';

function backupTable(backups: readonly ListedBackup[], context: ViewContext): Block {
  return {
    kind: 'table',
    noun: 'Backup of',
    columns: [
      { title: 'USER', priority: 2 },
      { title: 'BACKUP', priority: 1 },
      { title: 'CREATED', priority: 3 },
      { title: 'SIZE', priority: 5, align: 'right' },
      { title: 'ENCRYPTED', priority: 7 },
      { title: 'VERIFIED', priority: 4 },
      { title: 'WHERE', priority: 6 },
      { title: 'BUILDS ON', priority: 8 },
    ],
    rows: backups.map(({ id, user, backup, trouble, stores }) =>
      backup === null
        ? [user, id, `damaged: ${trouble ?? ''}`, '-', '-', '-', stores.join(', '), '-']
        : [
            user,
            id,
            showTime(backup.createdAt, context),
            showSize(backup.storedBytes),
            yesNo(backup.isEncrypted),
            trouble !== null
              ? `damaged: ${trouble}`
              : backup.verifiedAt === null
                ? 'never'
                : showTime(backup.verifiedAt, context),
            stores.join(', '),
            backup.base ?? '-',
          ],
    ),
    empty: 'No backups',
  };
}

export const backupCreate = defineVerb({
  name: 'backup create',
  summary: 'Copy a container to where backups are kept',
  description: [
    'The container runs on, and its snapshots are not copied. Other changes of the container are refused meanwhile.',
    'Where the pool is ZFS, only what changed since the last backup is sent (`zfs send -i`), and every seventh is a full one (`backups.fullEvery`). On other pools Incus first writes the whole container on its own disk, so there must be room for it.',
    'The backup has a checksum of each file. With `backups.recipients` it is encrypted, and this host cannot read it. A client that leaves does not stop it.',
  ],
  examples: [{ line: 'backup create alice', says: 'to the folder or the bucket that the settings name' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  isCancellable: true,
  target: 'user',
  form: {},
  parameters: [userArgument],
  input: () => z.strictObject({ user: username }),
  ends: { ...ends, notFound: noContainer },
  view: ({ container, backup }: BackupCreated) => [
    {
      kind: 'text',
      tone: 'good',
      text: `${container}: backup ${backup.id} made, ${showSize(backup.storedBytes)} with ${plural(backup.files, 'file')}${backup.base === null ? '' : `, building on ${backup.base}`}`,
    },
  ],
  copy: ({ backup }) => backup.id,
});

export const backupList = defineVerb({
  name: 'backup list',
  aliases: ['backup ls'],
  summary: 'List backups, the newest first',
  description: [
    'Without a user it lists those of all containers, also of containers that are gone. A backup that builds on another needs that one, and the one on which that builds, to be restored.',
  ],
  examples: [{ line: 'backup list alice', says: 'ages, sizes, and when each was last verified' }],
  access: { manage: 'viewer', self: true },
  changes: false,
  danger: 'none',
  target: 'user',
  parameters: [{ ...whoseArgument, required: false, narrows: true }],
  input: () => z.strictObject({ user: username.optional() }),
  ends: { ...readEnds, usage: off, unavailable: ends.unavailable },
  view: ({ backups }: BackupList, context) => [backupTable(backups, context)],
  rows: ({ backups }) => ({
    columns: [
      'user',
      'id',
      'created_at',
      'stored_bytes',
      'plain_bytes',
      'files',
      'encrypted',
      'format',
      'base',
      'verified_at',
      'stores',
      'trouble',
    ],
    rows: backups.map(({ id, user, backup, trouble, stores }) => [
      user,
      id,
      backup?.createdAt ?? null,
      backup?.storedBytes ?? null,
      backup?.plainBytes ?? null,
      backup?.files ?? null,
      backup?.isEncrypted ?? null,
      backup?.format ?? null,
      backup?.base ?? null,
      backup?.verifiedAt ?? null,
      stores.join(' '),
      trouble,
    ]),
  }),
});

export const backupDelete = defineVerb({
  name: 'backup delete',
  aliases: ['backup rm'],
  summary: 'Delete a backup from everywhere that it is kept',
  description: ['One on which others build is refused: delete those first.'],
  examples: [{ line: 'backup delete alice 20261129-174205-x7k2 --yes', says: 'its container stays' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'type-name',
  confirmation: { property: 'backup', warning: () => 'This cannot be undone.' },
  target: 'user',
  parameters: [whoseArgument, { ...backupArgument, summary: 'id of the backup' }, yesOption],
  input: () =>
    z.strictObject({
      user: username,
      backup: backupId,
      yes: z.boolean().optional(),
      confirm: z.string().max(64).optional(),
    }),
  ends: { ...ends, cancelled: 'the deletion was not confirmed; nothing was changed' },
  view: ({ container, id, freedBytes }: BackupDeleted) => [
    { kind: 'text', tone: 'good', text: `${container}: backup ${id} deleted, ${showSize(freedBytes)} freed` },
  ],
});
