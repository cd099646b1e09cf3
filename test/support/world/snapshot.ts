/** Renders a simulated host as text that does not depend on generated values. */
import type { HostState, InstanceRecord } from '../../../src/simulated/state/state.ts';

const operationId = /\b[0-9A-HJKMNP-TV-Z]{26}\b/gi;
/** The end of the name of an instance in the trash. */
const trashName = /-container-\d{8}-\d{6}-[0-9a-z]{4}/g;
const backupId = /\d{8}-\d{6}-[0-9a-z]{4}/;
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** A replacer for JSON.stringify that sorts keys. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Reports whether a key is internal to Incus. Such values change with every start. */
function isInternal(key: string): boolean {
  return key.startsWith('volatile.');
}

function withoutTime(name: string): string {
  return name.replace(/\d{8}-\d{6}(-\d+)?/, 'TIME');
}

function isEarlier({ config }: InstanceRecord): boolean {
  return config['user.containarium.replaced'] !== undefined;
}

function rendered(instance: InstanceRecord, all: readonly InstanceRecord[]): unknown {
  const { name, config, devices, files, prepared, run, stuckQuotaBytes } = instance;
  const earlier = all.filter((each) => isEarlier(each) && each.name.startsWith(`${name}-`));
  const hostKey = config['user.containarium.host-key'];
  return {
    name,
    config: Object.fromEntries(
      Object.entries(config)
        .filter(([key]) => !isInternal(key))
        .map(([key, value]) => [key, value === hostKey ? 'HOST KEY' : value]),
    ),
    devices,
    files: Object.fromEntries(
      Object.entries(files).map(([path, file]) => [
        path,
        path.includes('ssh_host_') ? { ...file, content: 'HOST KEY' } : file,
      ]),
    ),
    prepared,
    stuckQuotaBytes,
    // A second restore keeps the same files as the first, under a later time; on ZFS in another instance.
    snapshots: [
      ...new Set([instance, ...earlier].flatMap((each) => each.snapshots.map((one) => withoutTime(one.name)))),
    ].sort(),
    // What an operation leaves on the disk of Incus.
    backups: instance.backups.map((one) => one.name),
    // A second backup has a bookmark like that of the first.
    bookmarks: [...new Set(instance.dataset?.bookmarks.map((one) => one.name.replace(backupId, 'ID')))],
    received: instance.dataset?.received.map((one) => one.name) ?? [],
    hasEarlier: earlier.length > 0,
    // A running container must serve the host key in its configuration.
    running: run === null ? false : { address: run.address, servesItsKey: run.hostKey === (hostKey ?? null) },
  };
}

/**
 * Renders instances, accounts (without their IDs), groups (without the jump accounts' group, which may stay), jump
 * keys, images (without Incus's cache of base images), networks and pools.
 */
export function snapshot(state: HostState, jumpGroup = 'containarium-jump'): string {
  const jumpGid = state.groups.find(({ name }) => name === jumpGroup)?.gid;
  const document = {
    instances: Object.values(state.instances)
      .filter((each) => !isEarlier(each))
      .map((each) => rendered(each, Object.values(state.instances))),
    accounts: state.accounts.map(({ uid, gid, ...account }) => ({
      ...account,
      uid: uid < 1001 ? uid : 'UID',
      gid: gid === jumpGid ? 'JUMP' : gid,
    })),
    groups: state.groups.filter(({ name }) => name !== jumpGroup),
    jumpKeys: state.jumpKeys,
    images: state.images
      .filter(({ cached }) => !cached)
      .map(({ aliases, properties, prepared, files }) => ({ aliases, properties, prepared, files }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    networks: state.networks,
    pools: state.pools,
  };
  return JSON.stringify(document, sorted, 1)
    .replace(operationId, 'OPERATION')
    .replace(time, 'TIME')
    .replace(trashName, '-container-TRASHED');
}

/** Returns the lines that differ. */
export function difference(expected: string, actual: string): string {
  const [a, b] = [expected.split('\n'), actual.split('\n')];
  const missing = a.filter((line) => !b.includes(line)).slice(0, 8);
  const extra = b.filter((line) => !a.includes(line)).slice(0, 8);
  return [...missing.map((line) => `- ${line.trim()}`), ...extra.map((line) => `+ ${line.trim()}`)].join('\n');
}
