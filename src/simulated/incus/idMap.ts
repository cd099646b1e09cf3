/**
 * The user ids of instances, as Incus chooses them: all that root has, or 65,536 of an instance's own
 * (`security.idmap.isolated`; incus 6.0, findIdmap in driver_lxc.go).
 */
import type { HostState } from '../state/state.ts';

/** The subordinate ids of root, as Debian's package of Incus reserves them. */
const root = { first: 1_000_000, count: 1_000_000_000 } as const;
const blockIds = 65_536;

export const isolatedKey = 'security.idmap.isolated';

function isIsolated(config: Readonly<Record<string, string>>): boolean {
  return ['true', '1', 'yes', 'on'].includes((config[isolatedKey] ?? '').toLowerCase());
}

function mapOf(first: number, count: number): string {
  return JSON.stringify(
    [true, false].map((isUid) => ({ Isuid: isUid, Isgid: !isUid, Hostid: first, Nsid: 0, Maprange: count })),
  );
}

/** Returns the keys with the ids of an instance from its next start on, or the error message if no ids are left. */
export function idMapConfig(
  state: HostState,
  name: string,
  config: Readonly<Record<string, string>>,
): Record<string, string> | string {
  if (!isIsolated(config)) return { 'volatile.idmap.base': '0', 'volatile.idmap.next': mapOf(root.first, root.count) };
  const taken = new Set(
    Object.values(state.instances)
      .filter((instance) => instance.name !== name && isIsolated(instance.config))
      .map((instance) => Number(instance.config['volatile.idmap.base'])),
  );
  // The first block stays with the instances that share.
  for (let first = root.first + blockIds; first + blockIds < root.first + root.count; first += blockIds) {
    if (taken.has(first)) continue;
    return { 'volatile.idmap.base': String(first), 'volatile.idmap.next': mapOf(first, blockIds) };
  }
  return 'Failed to get ID map: Not enough uid/gid available for the container';
}
