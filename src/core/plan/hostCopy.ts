/**
 * A copy of a real host as the state of a simulated one, from queries only. It has what changes look at: instances and
 * their snapshots, networks, pools, images, accounts, groups and the keys of jump accounts, but no files of instances
 * and no private key. A query that fails ends the copy: it is never made without an answer.
 */
import pMap from 'p-map';
import type { Account, Accounts } from '../../host/accounts.ts';
import type { IncusImage, IncusInstance, IncusPool } from '../../host/incus/documents.ts';
import type { Incus } from '../../host/incus/incus.ts';
import type { StoredSnapshot } from '../../host/incus/snapshots.ts';
import type { JumpKeys } from '../../host/jumpKeys.ts';
import { addressOf } from '../../service/instances/containers.ts';
import { field, imageProperty, ownerOfInstance } from '../../service/instances/metadata.ts';
import { seedTemplate } from '../../service/images/seed.ts';
import { replacedOf } from '../../service/snapshots/generations.ts';
import { publicKeyPath } from '../../simulated/inside/firstBoot.ts';
import {
  freshState,
  type HostState,
  type ImageRecord,
  type InstanceFiles,
  type InstanceRecord,
  type PoolRecord,
  type SnapshotRecord,
} from '../../simulated/state/state.ts';

export interface CopiedHost {
  readonly incus: Incus;
  readonly accounts: Accounts;
  readonly jumpKeys: JumpKeys;
  readonly jumpGroup: string;
}

/** Number of queries at the same time. */
const parallel = 4;

/** Returns a copy of the host. `target` names the container whose snapshots are copied with their configuration. */
export async function copyHost(
  { incus, accounts, jumpKeys, jumpGroup }: CopiedHost,
  target: string | undefined,
  nowMs: number,
  signal: AbortSignal,
): Promise<HostState> {
  const [instances, images, networks, pools, server, users, groupId, keyUsers] = await Promise.all([
    incus.instancesWithState(signal),
    incus.images(signal),
    incus.networks(signal),
    incus.pools(signal),
    incus.server(signal),
    accounts.all(signal),
    accounts.groupId(jumpGroup, signal),
    jumpKeys.users(),
  ]);
  const concerned = instances.filter(
    (instance) => target !== undefined && [ownerOfInstance(instance), replacedOf(instance)].includes(target as never),
  );
  const [snapshots, sizes, keys] = await Promise.all([
    pMap(concerned, async ({ name }) => [name, await incus.snapshots.stored(name, signal)] as const, {
      concurrency: parallel,
    }),
    pMap(pools, async ({ name }) => (await incus.poolSpace(name, signal)).totalBytes, { concurrency: parallel }),
    pMap(keyUsers, async (user) => [user, await jumpKeys.read(user)] as const, { concurrency: parallel }),
  ]);
  const stored = new Map(snapshots);
  return {
    ...freshState(nowMs),
    isCopy: true,
    apiExtensions: server.api_extensions,
    instances: Object.fromEntries(instances.map((one) => [one.name, toInstance(one, stored.get(one.name), nowMs)])),
    images: images.map(toImage),
    networks: networks.map(({ name, type, managed, config }) => ({ name, type, managed, config })),
    pools: pools.map((pool, i) => toPool(pool, sizes[i] ?? 0)),
    accounts: users.map((account: Account) => ({ ...account })),
    groups: groupId === undefined ? [] : [{ name: jumpGroup, gid: groupId, members: [] }],
    // A file that is removed between the two queries is one that does not exist.
    jumpKeys: Object.fromEntries(keys.flatMap(([user, text]) => (text === undefined ? [] : [[user, text]]))),
  };
}

function toInstance(
  instance: IncusInstance,
  stored: readonly StoredSnapshot[] | undefined,
  nowMs: number,
): InstanceRecord {
  const { name, config, devices, state, status } = instance;
  const hostKey = config[field.hostKey];
  const own = { config: { ...config }, devices: { ...devices }, files: filesOf(hostKey), prepared: true };
  return {
    name,
    createdAtMs: milliseconds(instance.created_at, nowMs),
    lastUsedAtMs: milliseconds(instance.last_used_at, nowMs),
    ...own,
    backups: [],
    ranMs: 0,
    run:
      status === 'Stopped'
        ? null
        : {
            startedAtMs: milliseconds(state?.started_at, nowMs),
            pid: state?.pid ?? 0,
            address: addressOf(instance),
            hostKey: hostKey ?? null,
            ...(status === 'Frozen' ? { isPaused: true } : {}),
          },
    snapshots: (stored ?? instance.snapshots?.map(named) ?? [])
      .map((one): SnapshotRecord => ({
        ...own,
        name: one.name,
        createdAtMs: milliseconds(one.createdAt, nowMs),
        expiresAtMs: one.expiresAt === null ? 0 : milliseconds(one.expiresAt, nowMs),
        ...('config' in one ? { config: { ...one.config }, devices: { ...one.devices } } : {}),
      }))
      .sort((a, b) => a.createdAtMs - b.createdAtMs),
  };
}

/** Returns a snapshot of an instance that the call does not concern: only its name and time matter. */
function named({ name, created_at: createdAt }: NonNullable<IncusInstance['snapshots']>[number]) {
  return { name: name.split('/').at(-1) ?? name, createdAt, expiresAt: null };
}

/** Returns the one file that stands for a whole instance: by it a started copy is known to have the right host key. */
export function filesOf(hostKey: string | undefined): InstanceFiles {
  return hostKey === undefined ? {} : { [publicKeyPath]: { content: `${hostKey}\n`, mode: '0644', uid: 0, gid: 0 } };
}

function toImage({ fingerprint, size, aliases, properties, ...times }: IncusImage): ImageRecord {
  return {
    fingerprint,
    aliases: (aliases ?? []).map(({ name }) => name),
    properties: { ...properties },
    sizeBytes: size,
    createdAtMs: milliseconds(times.created_at, 0),
    uploadedAtMs: milliseconds(times.uploaded_at, 0),
    lastUsedAtMs: null,
    cached: false,
    prepared: properties?.[imageProperty.base] !== undefined,
    templates: seedTemplates,
    files: {},
  };
}

/** What Incus tells of an image does not have its templates. One of an earlier version has none, and gets no seed. */
const seedTemplates: NonNullable<ImageRecord['templates']> = (() => {
  const { name, path, when, content } = seedTemplate(field.seed);
  return { texts: { [name]: content }, paths: { [path]: { template: name, when: [...when] } } };
})();

function toPool({ name, driver, config }: IncusPool, totalBytes: number): PoolRecord {
  return { name, driver, config, totalBytes };
}

/** Returns a time of Incus, or `otherwise` for one that it does not know: year 1, or nothing. */
function milliseconds(time: string | null | undefined, otherwise: number): number {
  const ms = Date.parse(time ?? '');
  return Number.isNaN(ms) || ms <= 0 ? otherwise : ms;
}
