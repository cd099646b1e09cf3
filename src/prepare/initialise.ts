/**
 * Gives a fresh Incus what containers need: a storage pool, a bridge, and a default profile with both. What is already
 * there is never changed; only what is missing is added.
 */
import { mkdir, statfs } from 'node:fs/promises';
import { stringify } from 'yaml';
import { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import { incusDir } from './daemon.ts';
import { kernelHas } from './packages.ts';
import { run, succeeds } from './programs.ts';
import { freeSubnet, usedRanges } from './subnet.ts';

const gibibyte = 1024 ** 3;

/** The smallest pool worth having, in bytes: one image and a few small containers. */
const minPoolBytes = 8 * gibibyte;

/** Which part of the free space a pool in a file may take. The file is sparse: it grows as it is written. */
const poolShare = 0.6;

export type Driver = 'zfs' | 'btrfs' | 'dir';

/** What a preseed creates; a part that is left out is not touched. */
export interface Parts {
  readonly pool?: {
    readonly name: string;
    readonly driver: Driver;
    readonly sizeBytes?: number;
    readonly source?: string;
  };
  readonly bridge?: { readonly name: string; readonly address: string };
  /** Devices for the default profile. */
  readonly profile: { readonly root?: { readonly pool: string }; readonly nic?: { readonly network: string } };
}

/** The document that `incus admin init --preseed` reads. */
export function renderPreseed(parts: Parts): string {
  const { pool, bridge, profile } = parts;
  return stringify({
    config: {},
    networks:
      bridge === undefined
        ? []
        : [
            {
              name: bridge.name,
              type: 'bridge',
              config: { 'ipv4.address': bridge.address, 'ipv4.nat': 'true', 'ipv6.address': 'none' },
            },
          ],
    storage_pools:
      pool === undefined
        ? []
        : [
            {
              name: pool.name,
              driver: pool.driver,
              config: {
                ...(pool.source === undefined ? {} : { source: pool.source }),
                // Incus reads a bare number as bytes.
                ...(pool.sizeBytes === undefined ? {} : { size: String(pool.sizeBytes) }),
              },
            },
          ],
    profiles: [
      {
        name: 'default',
        devices: {
          ...(profile.root === undefined ? {} : { root: { type: 'disk', path: '/', pool: profile.root.pool } }),
          ...(profile.nic === undefined ? {} : { eth0: { type: 'nic', name: 'eth0', network: profile.nic.network } }),
        },
      },
    ],
  });
}

/** Size of a pool in a file, in bytes, whole GiB. Fails (`no-space`) where too little is free. */
export function poolSize(freeBytes: number, path: string): number {
  if (freeBytes < minPoolBytes) {
    throw new Failure('no-space', {
      what: 'a storage pool for containers',
      why: `${path} has ${(freeBytes / gibibyte).toFixed(1)} GiB free, and a pool needs at least ${minPoolBytes / gibibyte} GiB`,
      next: 'free some space, or create a pool on a disk of its own ("incus storage create default zfs source=/dev/…"), and start again',
    });
  }
  return Math.max(minPoolBytes, Math.floor((freeBytes * poolShare) / gibibyte) * gibibyte);
}

const namedList = z
  .array(z.looseObject({ name: z.string(), managed: z.boolean().optional(), type: z.string().optional() }))
  .nullable()
  .transform((list) => list ?? []);
const profileAnswer = z.looseObject({ devices: z.record(z.string(), z.record(z.string(), z.string())) });

async function query<T>(path: string, schema: z.ZodType<T>, env: Readonly<Record<string, string>>): Promise<T> {
  // `--raw`, because without it an empty list (`null` in the answer) is printed as nothing at all.
  const { stdout } = await run('incus', ['query', '--raw', path], { env });
  const answer = z.object({ metadata: z.unknown() }).safeParse(JSON.parse(stdout));
  const parsed = schema.safeParse(answer.data?.metadata);
  if (parsed.success) return parsed.data;
  throw new Failure('unexpected-output', { what: `"incus query ${path}"`, why: z.prettifyError(parsed.error) });
}

/** What an Incus has of the things that containers need. */
export interface IncusState {
  readonly pools: readonly string[];
  readonly bridges: readonly string[];
  /** Pool and network of the default profile's devices, where it has such devices. */
  readonly rootDevice: boolean;
  readonly nicDevice: boolean;
}

export async function incusState(env: Readonly<Record<string, string>> = {}): Promise<IncusState> {
  const [pools, networks, profile] = await Promise.all([
    query('/1.0/storage-pools?recursion=1', namedList, env),
    query('/1.0/networks?recursion=1', namedList, env),
    query('/1.0/profiles/default', profileAnswer, env),
  ]);
  const devices = Object.values(profile.devices);
  return {
    pools: pools.map((pool) => pool.name),
    bridges: networks
      .filter((network) => network.managed === true && network.type === 'bridge')
      .map((network) => network.name),
    rootDevice: devices.some((device) => device['type'] === 'disk' && device['path'] === '/'),
    nicDevice: devices.some((device) => device['type'] === 'nic'),
  };
}

export interface InitialiseOptions {
  readonly say: (line: string) => void;
  /** Environment of the Incus to initialise (`INCUS_DIR`); the machine's own without it. */
  readonly env?: Readonly<Record<string, string>>;
  readonly bridgeName?: string;
  /**
   * Driver and source of the pool, where they are not to be chosen here: a ZFS dataset or a block device that was set
   * aside.
   */
  readonly storage?: { readonly driver: Driver; readonly source?: string; readonly sizeBytes?: number };
  /** The bridge's own address with its length. Without it: a free one. */
  readonly bridgeAddress?: string;
}

/** Whether ZFS can be used: the module (loaded now where it is only there to be loaded) and the tools that match it. */
async function zfsWorks(): Promise<boolean> {
  if (!(await kernelHas('zfs'))) return false;
  await succeeds('modprobe', ['zfs']);
  return succeeds('zpool', ['version']);
}

async function choosePool(options: InitialiseOptions): Promise<NonNullable<Parts['pool']>> {
  const folder = incusDir(options.env);
  await mkdir(folder, { recursive: true });
  const chosen = options.storage;
  const driver = chosen?.driver ?? ((await zfsWorks()) ? 'zfs' : (await kernelHas('btrfs')) ? 'btrfs' : 'dir');
  if (driver === 'dir') {
    if (chosen === undefined)
      options.say(
        'This kernel has neither ZFS nor btrfs: the pool is a plain folder, and disk sizes will not be enforced',
      );
    return { name: 'default', driver };
  }
  if (chosen?.source !== undefined) return { name: 'default', driver, source: chosen.source };
  if (chosen?.sizeBytes !== undefined) return { name: 'default', driver, sizeBytes: chosen.sizeBytes };
  const { bavail, bsize } = await statfs(folder);
  return { name: 'default', driver, sizeBytes: poolSize(bavail * bsize, folder) };
}

/**
 * Adds a pool where Incus has none, a managed bridge where it has none, and both to a default profile that lacks them.
 */
export async function initialiseIncus(options: InitialiseOptions): Promise<void> {
  const env = options.env ?? {};
  const state = await incusState(env);
  const pool = state.pools.length === 0 ? await choosePool(options) : undefined;
  // A profile with a network of its own (macvlan, an existing bridge) is a decision somebody made: no bridge is put
  // beside it.
  const bridge =
    state.bridges.length === 0 && !state.nicDevice
      ? { name: options.bridgeName ?? 'incusbr0', address: options.bridgeAddress ?? freeSubnet(await usedRanges()) }
      : undefined;
  const poolName = pool?.name ?? (state.pools.length === 1 ? state.pools[0] : undefined);
  const networkName = bridge?.name ?? (state.bridges.length === 1 ? state.bridges[0] : undefined);
  const profile = {
    ...(state.rootDevice || poolName === undefined ? {} : { root: { pool: poolName } }),
    ...(state.nicDevice || networkName === undefined ? {} : { nic: { network: networkName } }),
  };
  if (pool === undefined && bridge === undefined && Object.keys(profile).length === 0) return;
  if (pool !== undefined) {
    const size = pool.sizeBytes === undefined ? '' : ` of ${Math.round(pool.sizeBytes / gibibyte)} GiB`;
    options.say(
      `Creating the storage pool "${pool.name}" (${pool.driver}${size}${pool.source === undefined ? '' : `, on ${pool.source}`})`,
    );
  }
  if (bridge !== undefined) options.say(`Creating the bridge "${bridge.name}" (${bridge.address}, NAT, no IPv6)`);
  if (Object.keys(profile).length > 0)
    options.say('Adding a root disk and a network to the default profile, where it has none');
  const parts: Parts = {
    profile,
    ...(pool === undefined ? {} : { pool }),
    ...(bridge === undefined ? {} : { bridge }),
  };
  await run('incus', ['admin', 'init', '--preseed'], { input: renderPreseed(parts), timeoutMs: 5 * 60_000, env });
}
