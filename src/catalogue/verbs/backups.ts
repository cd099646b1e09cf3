/** The verbs about backups of a container. */
import { z } from 'zod';
import { AgeIdentity } from '../../domain/values/age.ts';
import { isBackupId, latest } from '../../domain/values/backupId.ts';
import type {
  BackupCreated,
  BackupDeleted,
  BackupDownloaded,
  HostRebuilt,
  BackupList,
  BackupRestored,
  BackupVerified,
  ListedBackup,
} from '../../domain/results/backups.ts';
import { Failure } from '../../domain/failure.ts';
import { plural, quoted } from '../../domain/text.ts';
import { parsedBy, username } from '../declaration/schema.ts';
import { showSize, showTime, yesNo } from '../declaration/show.ts';
import { defineVerb, type Argument, type Option } from '../declaration/verb.ts';
import type { Block, ViewContext } from '../declaration/view.ts';
import { changeEnds, endedConnections, noContainer, readEnds, userArgument, yesOption } from './shared.ts';

const whoseArgument: Argument = { ...userArgument, summary: 'user whose container was backed up' };

const backupArgument: Argument = {
  kind: 'argument',
  name: 'backup',
  summary: 'id of the backup, or "latest"',
  required: true,
};

const identityOption: Option = {
  kind: 'option',
  name: 'identity',
  long: ['identity'],
  value: 'file',
  summary: 'the secret age key of an encrypted backup: "-" for standard input; on the host also a path',
};

function notFound(text: string): Failure {
  return new Failure('not-found', {
    what: `backup ${quoted(text)}`,
    why: 'no backup has this id',
    next: 'see "backup list"',
  });
}

const backupId = parsedBy((text) => {
  if (isBackupId(text)) return text;
  throw notFound(text);
});
const backupIdOrLatest = parsedBy((text) => {
  if (text === latest || isBackupId(text)) return text;
  throw notFound(text);
});
const identity = parsedBy((text) => AgeIdentity.parse(text), 65_536);

/** Read only if the option asks for it: a user is always named. */
const identityStdin = { for: 'the secret age key', into: 'identity', required: false, onlyAsked: true } as const;

const off = 'backups are off, or an option is not valid';
const ends = {
  ...changeEnds,
  usage: off,
  notFound: 'there is no such backup',
  unavailable: 'a place of backups, or Incus, does not answer',
  failed: 'the backup is damaged, or a step failed; all changes were undone',
} as const;

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
    ],
    rows: backups.map(({ id, user, backup, trouble, stores }) =>
      backup === null
        ? [user, id, `damaged: ${trouble ?? ''}`, '-', '-', '-', stores.join(', ')]
        : [
            user,
            id,
            showTime(backup.createdAt, context),
            showSize(backup.storedBytes),
            yesNo(backup.isEncrypted),
            backup.verifiedAt === null ? 'never' : showTime(backup.verifiedAt, context),
            stores.join(', '),
          ],
    ),
    empty: 'No backups',
  };
}

export const backupCreate = defineVerb({
  name: 'backup create',
  summary: 'Copy a container to where backups are kept',
  description: [
    'The container runs on, and its snapshots are not copied. Incus first writes the whole container on its own disk, so there must be room for it. Other changes of the container are refused meanwhile.',
    'The backup has a checksum of each file. With `backups.recipients` it is encrypted, and this host cannot read it. A client that leaves does not stop it.',
  ],
  examples: [{ line: 'backup create alice', says: 'to the folder or the bucket that the settings name' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  target: 'user',
  form: {},
  parameters: [userArgument],
  input: z.strictObject({ user: username }),
  ends: { ...ends, notFound: noContainer },
  view: ({ container, backup }: BackupCreated) => [
    {
      kind: 'text',
      tone: 'good',
      text: `${container}: backup ${backup.id} made, ${showSize(backup.storedBytes)} with ${plural(backup.files, 'file')}`,
    },
  ],
  copy: ({ backup }) => backup.id,
});

export const backupList = defineVerb({
  name: 'backup list',
  aliases: ['backup ls'],
  summary: 'List backups, the newest first',
  description: ['Without a user it lists those of all containers, also of containers that are gone.'],
  examples: [{ line: 'backup list alice', says: 'ages, sizes, and when each was last verified' }],
  access: { manage: 'viewer', self: true },
  changes: false,
  danger: 'none',
  target: 'user',
  parameters: [{ ...whoseArgument, required: false }],
  input: z.strictObject({ user: username.optional() }),
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
      backup?.verifiedAt ?? null,
      stores.join(' '),
      trouble,
    ]),
  }),
});

export const backupVerify = defineVerb({
  name: 'backup verify',
  summary: 'Restore a backup into a throwaway container and compare its files',
  description: [
    'The throwaway has no network and is deleted again, however this ends. It is booted, and the checksums of up to 2000 files in /etc, /usr, /home, /root, /opt and /srv are compared with those of the backup. Files that the boot itself changed are left out and counted. The container of the user is not touched.',
  ],
  examples: [
    { line: 'backup verify alice latest', says: 'shows that it can be restored' },
    { line: 'backup verify alice latest --identity - < key.txt', says: 'an encrypted one' },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  stdin: identityStdin,
  target: 'user',
  form: {},
  parameters: [whoseArgument, backupArgument, identityOption],
  input: z.strictObject({ user: username, backup: backupIdOrLatest, identity: identity.optional() }),
  ends,
  view: ({ id, compared, changedByBoot }: BackupVerified) => [
    {
      kind: 'text',
      tone: 'good',
      text: `Backup ${id} was restored and booted: ${plural(compared, 'file')} compared, all as they were`,
    },
    ...(changedByBoot === 0
      ? []
      : [
          {
            kind: 'text',
            tone: 'quiet',
            text: `${plural(changedByBoot, 'file')} left out, because the boot changed them`,
          } as const,
        ]),
  ],
});

export const backupRestore = defineVerb({
  name: 'backup restore',
  summary: 'Put the container of a backup in the place of the present one',
  description: [
    'The present container is kept, stopped, with a snapshot whose name begins with "before-restore-" (`snapshots.keepBeforeRestore`): "snapshot restore" with it takes this back. Keys, limits, labels and the address stay as they are now. A running container is restarted, and the connections of its user end.',
    'A container that is gone is made again, with the keys, the limits and the labels of the backup, and with its address if that is free.',
  ],
  examples: [{ line: 'backup restore alice latest --yes', says: 'her files of then; the container of now is kept' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'type-name',
  confirmation: {
    property: 'backup',
    warning: () => 'The container of now is kept under another name, and a running one is restarted.',
  },
  stdin: identityStdin,
  target: 'user',
  parameters: [whoseArgument, backupArgument, identityOption, yesOption],
  input: z.strictObject({
    user: username,
    backup: backupIdOrLatest,
    identity: identity.optional(),
    yes: z.boolean().optional(),
    confirm: z.string().max(64).optional(),
  }),
  ends: { ...ends, cancelled: 'the restore was not confirmed; nothing was changed' },
  view: (result: BackupRestored) => [
    {
      kind: 'text',
      tone: 'good',
      text: `${result.container}: restored ${result.id}${result.before === null ? '' : `; the container before is in snapshot ${result.before}`}`,
    },
    ...endedConnections(result.user, result.connectionsEnded),
  ],
});

export const backupRebuild = defineVerb({
  name: 'backup rebuild',
  summary: 'Make every container again that has a backup and is gone',
  description: [
    'For a new host in place of one that is lost: set the place of its backups in the settings, and this makes all containers again, each from its newest backup, with account, keys, limits and labels. It touches no container that is there, and can be repeated. Who was deleted before, which their old backups show, does not come back unless named.',
  ],
  examples: [
    { line: 'backup rebuild', says: 'on a new host, after the old one is lost' },
    { line: 'backup rebuild alice bob', says: 'only these' },
  ],
  access: { manage: 'admin' },
  changes: true,
  danger: 'none',
  stdin: identityStdin,
  parameters: [
    {
      kind: 'argument',
      name: 'users',
      summary: 'users whose containers are made (default: all)',
      required: false,
      rest: true,
    },
    identityOption,
  ],
  input: z.strictObject({ users: z.array(username).max(1000).optional(), identity: identity.optional() }),
  ends: { ...readEnds, usage: off, partial: 'some containers could not be made again' },
  exit: ({ failed }: HostRebuilt) => (failed.length === 0 ? 'ok' : 'partial'),
  view: ({ restored, present, left, failed }: HostRebuilt) => [
    {
      kind: 'text',
      tone: failed.length === 0 ? 'good' : 'warn',
      text: `${plural(restored.length, 'container')} made again${restored.length === 0 ? '' : `: ${restored.join(', ')}`}; ${present.length} were there`,
    },
    ...left.map(({ user, why }) => ({ kind: 'text', tone: 'quiet', text: `${user}: left, because ${why}` }) as const),
    ...failed.map(({ user, why, code }) => ({ kind: 'text', tone: 'bad', text: `${user}: ${why} (${code})` }) as const),
  ],
});

export const backupDownload = defineVerb({
  name: 'backup download',
  summary: 'Send a backup to standard output',
  description: [
    'The bytes are sent as they are stored: a tar archive of Incus, compressed with zstd(1) and perhaps encrypted with age(1). With --plain or --identity it is that archive itself, for "incus import". The exit code says whether everything arrived and was as it was stored. Over the remote interface it is not possible.',
  ],
  examples: [
    { line: 'backup download alice latest > alice.tar.zst', says: 'as it is stored' },
    { line: 'backup download alice latest --plain > alice.tar', says: 'for "incus import alice.tar"' },
  ],
  access: { manage: 'admin' },
  changes: false,
  danger: 'none',
  sendsBytes: true,
  stdin: identityStdin,
  target: 'user',
  parameters: [
    whoseArgument,
    backupArgument,
    identityOption,
    { kind: 'option', name: 'plain', long: ['plain'], summary: 'the archive of Incus, not compressed' },
  ],
  input: z.strictObject({
    user: username,
    backup: backupIdOrLatest,
    identity: identity.optional(),
    plain: z.boolean().optional(),
  }),
  ends: {
    ...readEnds,
    usage: off,
    notFound: ends.notFound,
    unavailable: ends.unavailable,
    failed: 'the backup is damaged',
  },
  view: ({ id, bytes }: BackupDownloaded) => [{ kind: 'text', text: `Backup ${id}: ${bytes} bytes` }],
});

export const backupDelete = defineVerb({
  name: 'backup delete',
  aliases: ['backup rm'],
  summary: 'Delete a backup from everywhere that it is kept',
  examples: [{ line: 'backup delete alice 20261129-174205-x7k2 --yes', says: 'its container stays' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'type-name',
  confirmation: { property: 'backup', warning: () => 'This cannot be undone.' },
  target: 'user',
  parameters: [whoseArgument, { ...backupArgument, summary: 'id of the backup' }, yesOption],
  input: z.strictObject({
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
