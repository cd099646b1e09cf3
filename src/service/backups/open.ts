/** Opens the stores of backups that the settings name. */
import { Failure } from '../../domain/failure.ts';
import { readSecretFile } from '../../host/secretFile.ts';
import { Repository } from '../../repository/repository.ts';
import { DirectoryStore } from '../../repository/stores/directory.ts';
import { S3Store } from '../../repository/stores/s3.ts';
import type { Store } from '../../repository/stores/store.ts';
import type { BackupSettings } from '../../settings/backups.ts';

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
  const setting = 'backups.s3.credentialsFile';
  const text = await readSecretFile(setting, path);
  const value = (name: string): string =>
    new RegExp(`^[ \\t]*${name}[ \\t]*=[ \\t]*(\\S+)[ \\t]*$`, 'm').exec(text)?.[1] ?? '';
  const credentials = { accessKeyId: value('aws_access_key_id'), secretAccessKey: value('aws_secret_access_key') };
  if (credentials.accessKeyId !== '' && credentials.secretAccessKey !== '') return credentials;
  throw new Failure('settings', {
    what: `${setting} ${path}`,
    why: 'it lacks a key',
    next: 'write aws_access_key_id = … and aws_secret_access_key = …, one a line',
  });
}
