/** Makes a stopped instance of a backup, under a name of its own, before it takes the place of a container. */
import type { AgeIdentity } from '../../domain/values/age.ts';
import { isFailure } from '../../domain/failure.ts';
import type { Username } from '../../domain/values/username.ts';
import type { Running } from '../../journal/operations.ts';
import type { Manifest } from '../../repository/manifest.ts';
import type { Repository } from '../../repository/repository.ts';
import type { HostContext } from '../instances/context.ts';
import { field } from '../instances/metadata.ts';
import type { Placement } from '../instances/placement.ts';
import { isolationConfig } from '../isolation/config.ts';
import { replaceConfiguration } from './imported.ts';

export interface Restore {
  readonly user: Username;
  readonly repository: Repository;
  readonly manifest: Manifest;
  readonly identity: AgeIdentity | undefined;
  readonly placement: Placement;
}

/** Returns the name that a restored instance has until it takes its place. */
export function restoredName({ id }: Running): string {
  return `containarium-restore-${id.toLowerCase()}`;
}

/** Makes the instance, without a network and with nothing of the configuration of the backup. */
export async function importBackup(
  context: HostContext,
  operation: Running,
  { repository, manifest, identity, placement: { pool } }: Restore,
): Promise<void> {
  const { settings, steps, streams } = context;
  const name = restoredName(operation);
  await operation.step(steps.importBackup, { instance: name, operation: operation.id }, async () => {
    const source = await repository.data(manifest, identity);
    await streams.createFromBackup({ name, pool, source, timeoutMs: settings.backups.limitMs });
    await replaceConfiguration(context, name, {
      config: {
        ...isolationConfig(settings.defaults.processes),
        'boot.autostart': 'false',
        [field.operation]: operation.id,
      },
      devices: { root: { type: 'disk', path: '/', pool } },
    });
  });
}

/** Where the first boot keeps the host key of a container. */
const hostKeyPath = '/etc/ssh/ssh_host_ed25519_key.pub';

/** Returns the host key that the sshd of a restored container will have; undefined if there is none to read. */
export async function readHostKey({ incus }: HostContext, instance: string): Promise<string | undefined> {
  const text = await incus.pullFile(instance, hostKeyPath, { maxBytes: 4096 }).catch((error: unknown) => {
    // The container's root decides what is there: something that is too large, or no file.
    const isNoFile = isFailure(error, 'program-failed') && /directory/i.test(String(error.details?.['stderr']));
    if (isNoFile || isFailure(error, 'unexpected-output')) return undefined;
    throw error;
  });
  return /^ssh-ed25519 [A-Za-z0-9+/]{60,80}={0,2}/.exec(text ?? '')?.[0];
}
