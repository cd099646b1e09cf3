/** Settings of backups. */
import * as z from 'zod';
import { isRecipient } from '../domain/values/age.ts';
import { absolutePath } from './types.ts';

const keepCount = z.number().int().min(0).max(10_000);

function isEndpoint(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === '';
}

const s3Settings = z
  .strictObject({
    endpoint: z
      .string()
      .max(500)
      .refine(isEndpoint, 'must be the address of a server, for example https://s3.example.com')
      .meta({ title: 'URL' })
      .describe(
        'Address of the S3 server, for example `https://s3.eu-central-1.amazonaws.com`. Buckets are in the path.',
      ),
    bucket: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
        'must be a bucket name: 3 to 63 lower-case letters, digits and hyphens',
      )
      .meta({ title: 'name' })
      .describe('Name of the bucket. It must exist.'),
    region: z
      .string()
      .regex(/^[a-z0-9-]{1,60}$/, 'must be a region, for example eu-central-1')
      .optional()
      .describe('Region of the bucket. Default: us-east-1. Many servers ignore it.'),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/, 'must be one name without a slash')
      .optional()
      .describe('Folder in the bucket. Default: containarium. Each jump host needs its own.'),
    credentialsFile: absolutePath.describe(
      'File with `aws_access_key_id = …` and `aws_secret_access_key = …`, one a line. Only root may be able to read it.',
    ),
  })
  .optional()
  .describe('A bucket of an S3-compatible store. Not set by default. With `directory` too, each backup is in both.');

export const backupSettings = z
  .strictObject({
    directory: absolutePath
      .optional()
      .describe(
        'Folder for backups on this host, best on another disk and not below /home, where the service may not write. It must exist, and only root may be able to write there. Not set by default: without it and without `s3` there are no backups.',
      ),
    s3: s3Settings,
    recipients: z
      .array(
        z
          .string()
          .refine(isRecipient, 'must be a public key of age, which begins with age1')
          .meta({ title: 'age public key' }),
      )
      .max(20)
      .default([])
      .describe(
        'Public keys of age (`age-keygen`) to which backups are encrypted. The host then cannot read its own backups: to restore or verify one, the admin gives the secret key. Empty: not encrypted.',
      ),
    keep: z
      .strictObject({
        daily: keepCount.default(7).describe('Number of days that keep their newest backup.'),
        weekly: keepCount.default(4).describe('Number of weeks.'),
        monthly: keepCount.default(6).describe('Number of months.'),
      })
      .prefault({})
      .describe(
        'Which backups of a container are kept when old ones are deleted, those made by hand included. The newest always is, and the newest that was verified.',
      ),
    every: z
      .enum(['daily', 'weekly', 'never'])
      .default('daily')
      .describe('How often every container is backed up, if a place for backups is set.'),
    hour: z.number().int().min(0).max(23).default(2).describe('Hour of the day at which that begins, in UTC.'),
    fullEvery: z
      .number()
      .int()
      .min(0)
      .max(90)
      .default(7)
      .describe(
        'Where the pool is ZFS, a backup has only what changed since the one before it (`zfs send -i`). One of so many is a full one again, on which the next ones build. 1: all are full. 0: Incus exports the containers, as on other pools; any host can restore an export, and only one with a ZFS pool a backup of `zfs send`.',
      ),
    limitMs: z
      .number()
      .int()
      .min(60_000)
      .max(86_400_000)
      .default(21_600_000)
      .describe('Time limit of each step that copies a whole container, in milliseconds.'),
  })
  .prefault({})
  .describe('Backups of containers.');

export type BackupSettings = z.output<typeof backupSettings>;
