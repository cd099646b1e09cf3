/** What makes an instance nobody's container, while it is kept: an earlier generation, or one in the trash. */
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { InstanceSpec } from '../../host/incus/incus.ts';
import { field } from './metadata.ts';
import { protectionKey } from './protection.ts';

/** Returns the change that takes away the owner, the address, the schedule and the start with the host. */
export function retirement({ devices }: Pick<IncusInstance, 'devices'>): InstanceSpec {
  const nics = Object.entries(devices).filter(([, { type }]) => type === 'nic');
  return {
    config: {
      [field.owner]: '',
      'snapshots.schedule': '',
      'boot.autostart': 'false',
      [protectionKey]: '',
    },
    // Incus refuses to start an instance with the address of another, even of a stopped one.
    devices: Object.fromEntries(nics.map(([name]) => [name, { type: 'none' }])),
  };
}

/** Returns the change that takes back another one: the present values of what it sets. An empty value unsets a key. */
export function inverse(
  change: InstanceSpec,
  { config, devices }: Pick<IncusInstance, 'config' | 'devices'>,
): InstanceSpec {
  return {
    config: Object.fromEntries(Object.keys(change.config).map((key) => [key, config[key] ?? ''])),
    devices: Object.fromEntries(Object.keys(change.devices).map((key) => [key, devices[key] ?? {}])),
  };
}
