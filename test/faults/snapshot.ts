/** The whole simulated host as text that is the same for two hosts that differ only in generated values. */
import type { HostState, InstanceRecord } from '../../src/simulated/state/state.ts';

const operationId = /\b[0-9A-HJKMNP-TV-Z]{26}\b/gi;
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** A replacer for JSON.stringify: the order of keys means nothing. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What Incus and the simulation keep for themselves: it changes with every start. */
function isOwnBusiness(key: string): boolean {
  return key.startsWith('volatile.');
}

function instance({ name, config, devices, files, prepared, run, stuckQuotaBytes }: InstanceRecord): unknown {
  const hostKey = config['user.containarium.host-key'];
  return {
    name,
    config: Object.fromEntries(
      Object.entries(config)
        .filter(([key]) => !isOwnBusiness(key))
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
    // A container that runs must serve the host key that its configuration names.
    running: run === null ? false : { address: run.address, servesItsKey: run.hostKey === (hostKey ?? null) },
  };
}

/**
 * Instances with everything in them, accounts (but not their numbers), groups (but not the jump accounts' own, which
 * may stay), jump keys, images, networks and pools. Not the cache of base images, which is Incus's own.
 */
export function snapshot(state: HostState, jumpGroup = 'containarium-jump'): string {
  const jumpGid = state.groups.find(({ name }) => name === jumpGroup)?.gid;
  const document = {
    instances: Object.values(state.instances).map(instance),
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
  return JSON.stringify(document, sorted, 1).replace(operationId, 'OPERATION').replace(time, 'TIME');
}

/** The lines that differ, for a message. */
export function difference(expected: string, actual: string): string {
  const [a, b] = [expected.split('\n'), actual.split('\n')];
  const missing = a.filter((line) => !b.includes(line)).slice(0, 8);
  const extra = b.filter((line) => !a.includes(line)).slice(0, 8);
  return [...missing.map((line) => `- ${line.trim()}`), ...extra.map((line) => `+ ${line.trim()}`)].join('\n');
}
