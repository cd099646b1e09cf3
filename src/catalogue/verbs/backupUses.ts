/** The verbs that read a backup: `backup verify`, `restore`, `rebuild` and `download`. */
import * as z from 'zod';
import type { BackupDownloaded, BackupRestored, BackupVerified, HostRebuilt } from '../../domain/results/backups.ts';
import { plural } from '../../domain/text.ts';
import { username } from '../declaration/schema.ts';
import { defineVerb } from '../declaration/verb.ts';
import {
  backupArgument,
  backupIdOrLatest,
  ends,
  identity,
  identityOption,
  identityStdin,
  off,
  whoseArgument,
} from './backupParts.ts';
import { endedConnections, readEnds, yesOption } from './shared.ts';

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
  isCancellable: true,
  stdin: identityStdin,
  target: 'user',
  form: {},
  parameters: [whoseArgument, backupArgument, identityOption],
  input: () => z.strictObject({ user: username, backup: backupIdOrLatest, identity: identity.optional() }),
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
    'A container that is gone is made again, with the keys, limits and labels of the backup, with its protection, end and schedule of snapshots, and with its address if that is free. One that was stopped stays stopped.',
  ],
  examples: [
    { line: 'backup restore alice latest --yes', says: 'her files of that time; the present container is kept' },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'type-name',
  isCancellable: true,
  confirmation: {
    property: 'backup',
    warning: () => 'The present container is kept as a snapshot, and a running one is restarted.',
  },
  stdin: identityStdin,
  target: 'user',
  parameters: [whoseArgument, backupArgument, identityOption, yesOption],
  input: () =>
    z.strictObject({
      user: username,
      backup: backupIdOrLatest,
      identity: identity.optional(),
      yes: z.boolean().optional(),
      confirm: z.string().max(64).optional(),
    }),
  ends: {
    ...ends,
    cancelled: 'the restore was not confirmed, or was cancelled; nothing was changed, or it was undone',
  },
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
  input: () => z.strictObject({ users: z.array(username).max(1000).optional(), identity: identity.optional() }),
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
    'Of a backup of ZFS these are streams: that of the full one and of each that builds on it, one after the other. "zfs receive" reads one at a time, so it has to run as often as there are streams, in one subshell that reads the file: with --plain into alice.zfs, (zfs receive -u pool/alice; zfs receive -F -u pool/alice) < alice.zfs receives two.',
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
  input: () =>
    z.strictObject({
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
