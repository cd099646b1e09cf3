/** Opens the stores of backups that the settings name. */
import { open } from 'node:fs/promises';
import { Failure } from '../../domain/failure.ts';
import { Repository } from '../../repository/repository.ts';
import { DirectoryStore } from '../../repository/stores/directory.ts';
import { S3Store } from '../../repository/stores/s3.ts';
import type { Store } from '../../repository/stores/store.ts';
import type { BackupSettings } from '../../settings/backups.ts';

const maxCredentialsBytes = 64 * 1024;

/**
 * Opens the repository. The credentials are read each time, so that new ones need no restart. Rejects with `settings`
 * if backups are off, or if the credentials cannot be used.
 */
export async function openRepository({ directory, s3, recipients }: BackupSettings): Promise<Repository> {
  const stores: Store[] = directory === undefined ? [] : [new DirectoryStore(directory)];
  if (s3 !== undefined) {
    const { endpoint, bucket, region = 'us-east-1', prefix = 'containarium', credentialsFile } = s3;
    stores.push(new S3Store({ endpoint, bucket, region, prefix, ...(await readCredentials(credentialsFile)) }));
  }
  if (stores.length > 0) return new Repository(stores, recipients);
  throw new Failure('settings', {
    what: 'backups',
    why: 'they are off: no place for them is set',
    next: 'set backups.directory or backups.s3 in the configuration (docs/configuration.md), and restart the server',
  });
}

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Reads a file in the format of the AWS command line. Its text is never quoted. */
async function readCredentials(path: string): Promise<Credentials> {
  const refuse = (why: string, next: string, cause?: unknown): Failure =>
    new Failure('settings', { what: `backups.s3.credentialsFile ${path}`, why, next }, cause);
  const handle = await open(path, 'r').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw refuse(why, 'make it, with mode 600', error);
  });
  try {
    const { uid, mode, size } = await handle.stat();
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0)
      throw refuse('other accounts may read or change it', `chown root ${path} && chmod 600 ${path}`);
    if (size > maxCredentialsBytes) throw refuse('it is too long', 'give a file with two lines');
    const text = await handle.readFile('utf8');
    const value = (name: string): string => new RegExp(`^\\s*${name}\\s*=\\s*(\\S+)\\s*$`, 'm').exec(text)?.[1] ?? '';
    const credentials = { accessKeyId: value('aws_access_key_id'), secretAccessKey: value('aws_secret_access_key') };
    if (credentials.accessKeyId !== '' && credentials.secretAccessKey !== '') return credentials;
    throw refuse('it lacks a key', 'write aws_access_key_id = … and aws_secret_access_key = …, one a line');
  } finally {
    await handle.close();
  }
}
