/** Makes a stopped instance of a backup, under a name of its own, before it takes the place of a container. */
import { isFailure } from '../../domain/failure.ts';
import { failedWith } from '../../host/runner.ts';
import { containerName, type Username } from '../../domain/values/username.ts';
import type { Running } from '../../journal/operations.ts';
import type { HostContext } from '../instances/context.ts';
import { field } from '../instances/metadata.ts';
import type { Placement } from '../instances/placement.ts';
import { isolationConfig } from '../isolation/config.ts';
import { replaceConfiguration } from './imported.ts';
import { importFacts, makeInstance, type Readied } from './making.ts';

export interface Restore extends Readied {
  readonly user: Username;
  readonly placement: Placement;
}

/** Returns the name that a restored instance has until it takes its place. */
export function restoredName({ id }: Running): string {
  return `containarium-restore-${id.toLowerCase()}`;
}

/** Makes the instance, without a network and with nothing of the configuration of the backup. */
export async function importBackup(context: HostContext, operation: Running, restore: Restore): Promise<void> {
  const { settings, steps } = context;
  const { pool } = restore.placement;
  const made = { name: restoredName(operation), pool, operation: operation.id };
  const { name } = made;
  await operation.step(steps.importBackup, importFacts(made, restore.manifest), async () => {
    await makeInstance(context, made, restore);
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

/**
 * Gives the instance the name of the container. Before that, nothing reads or writes its files: Incus serves the files
 * of a stopped instance for some time after that, and a rename meanwhile makes the next start wait 15 s (incus 6.0.4,
 * measured).
 */
export async function placeInstance(context: HostContext, operation: Running, user: Username): Promise<void> {
  const [instance, to] = [restoredName(operation), containerName(user)];
  await operation.step(context.steps.placeInstance, { instance, to, operation: operation.id }, () =>
    context.incus.rename(instance, to),
  );
}

/** Where the first boot keeps the host key of a container. */
const hostKeyPath = '/etc/ssh/ssh_host_ed25519_key.pub';

/** Returns the configuration that notes the host key of a restored container; empty if there is none to read. */
export async function hostKeyConfig({ incus }: HostContext, instance: string): Promise<Record<string, string>> {
  const text = await incus.pullFile(instance, hostKeyPath, { maxBytes: 4096 }).catch((error: unknown) => {
    // The container's root decides what is there: something that is too large, or no file.
    if (failedWith(error, /directory/i) || isFailure(error, 'unexpected-output')) return undefined;
    throw error;
  });
  const [hostKey] = /^ssh-ed25519 [A-Za-z0-9+/]{60,80}={0,2}/.exec(text ?? '') ?? [];
  return hostKey === undefined ? {} : { [field.hostKey]: hostKey };
}
