/**
 * Instances that are made of a backup. Incus gives them the configuration that the archive has, and who can write to
 * the store can write one there that breaks out of the container: privileged, with a disk of the host. So before such
 * an instance starts, nothing of that configuration is left but what Incus keeps for itself.
 */
import { Failure } from '../../domain/failure.ts';
import { formatExact, parseIncusSize } from '../../domain/values/size.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import { isolatedKey } from '../../host/incus/idChoice.ts';
import type { InstanceSpec } from '../../host/incus/incus.ts';
import type { Manifest } from '../../repository/manifest.ts';
import { rootDevice } from '../instances/containers.ts';
import type { HostContext } from '../instances/context.ts';

/** Replaces the configuration and the devices of an imported instance. Devices that are not wanted become none. */
export async function replaceConfiguration(
  { incus }: Pick<HostContext, 'incus'>,
  name: string,
  wanted: InstanceSpec,
): Promise<IncusInstance> {
  const found = await incus.storedInstance(name);
  const refuse = (why: string): Failure =>
    new Failure('backup-damaged', { what: `instance "${name}" of the backup`, why, next: 'try another backup' });
  if (found === undefined) throw refuse('it disappeared while it was being made');
  if (found.type !== 'container') throw refuse('it is no container');
  const names = Object.keys(found.config).filter((key) => !isKept(key) && wanted.config[key] === undefined);
  const devices: Record<string, Readonly<Record<string, string>>> = {};
  for (const device of Object.keys(found.devices)) devices[device] = { type: 'none' };
  const { [isolatedKey]: isolated = '', ...config } = wanted.config;
  await incus.patch(name, {
    profiles: [],
    // Incus chooses ids anew when the instance becomes isolated; those of the archive may be of another container.
    config: { ...Object.fromEntries(names.map((key) => [key, ''])), ...config, [isolatedKey]: '' },
    devices: { ...devices, ...wanted.devices },
  });
  await incus.patch(name, { config: { [isolatedKey]: isolated } });
  const replaced = await incus.storedInstance(name);
  if (replaced === undefined) throw refuse('it disappeared while it was being made');
  return replaced;
}

/** Reports whether Incus itself sets this key. */
function isKept(key: string): boolean {
  return key.startsWith('volatile.') || key.startsWith('image.');
}

/** Returns the root disk for a backup, of the size that it had. */
export function rootFor(
  { devices }: Pick<Manifest, 'devices'>,
  pool: string,
  hasQuotas: boolean,
): InstanceSpec['devices'] {
  const bytes = parseIncusSize(rootOf(devices)?.['size'] ?? '');
  const root: Record<string, string> = { type: 'disk', path: '/', pool };
  if (bytes !== undefined && hasQuotas) root['size'] = formatExact(bytes);
  return { root };
}

function rootOf(devices: Manifest['devices']): Readonly<Record<string, string>> | undefined {
  return rootDevice({ devices } as IncusInstance)?.device;
}
