/**
 * Sets up a fresh Incus for containers: a storage pool, a bridge, and a default profile with both. Adds only what is
 * missing, and never changes what exists.
 */
import { mkdir, statfs } from 'node:fs/promises';
import { stringify } from 'yaml';
import * as z from 'zod';
import { check, misfitText } from '../domain/check.ts';
import { Failure } from '../domain/failure.ts';
import { missingBridgeSettings } from '../host/incus/bridgeSettings.ts';
import { incusDir } from './daemon.ts';
import { hasContainers, recoverPool } from './lostDatabase.ts';
import { kernelHas } from './packages.ts';
import { run } from './programs.ts';
import { freeSubnet, usedRanges } from './subnet.ts';
import { zfsWorks } from './zfs.ts';

const gibibyte = 1024 ** 3;

/** Minimum size of a pool, in bytes: room for one image and a few small containers. */
const minPoolBytes = 8 * gibibyte;

/** Share of the free space that a pool in a file may take. The file is sparse and grows as it is written. */
const poolShare = 0.6;

export type Driver = 'zfs' | 'btrfs' | 'dir';

/** The parts that a preseed creates; an absent part is left alone. */
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

function bridgeConfig(address: string): Readonly<Record<string, string>> {
  const config = { 'ipv4.address': address, 'ipv4.nat': 'true', 'ipv6.address': 'none' };
  return { ...config, ...missingBridgeSettings(config) };
}

/** With IPv4 filtering Incus fixes an address itself; the bridge's DHCP serves only instances with a fixed address. */
function profileNic(network: string): Readonly<Record<string, string>> {
  return { type: 'nic', name: 'eth0', network, 'security.ipv4_filtering': 'true' };
}

/** Renders the document that `incus admin init --preseed` reads. */
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
              config: bridgeConfig(bridge.address),
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
          ...(profile.nic === undefined ? {} : { eth0: profileNic(profile.nic.network) }),
        },
      },
    ],
  });
}

/** Returns the size of a pool in a file, in bytes, rounded to GiB. Throws `no-space` if too little is free. */
export function poolSize(freeBytes: number, path: string): number {
  if (freeBytes < minPoolBytes) {
    throw new Failure('no-space', {
      what: 'a storage pool for containers',
      why: `${path} has ${(freeBytes / gibibyte).toFixed(1)} GiB free, but a pool needs at least ${minPoolBytes / gibibyte} GiB`,
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

export async function queryIncus<T>(
  path: string,
  schema: z.ZodType<T>,
  env: Readonly<Record<string, string>>,
): Promise<T> {
  // Without `--raw` the client prints nothing for an empty list (`null` in the reply).
  const { stdout } = await run('incus', ['query', '--raw', path], { env });
  const answer = z.object({ metadata: z.unknown() }).safeParse(JSON.parse(stdout));
  const checked = check(schema, answer.data?.metadata);
  if (checked.misfit === undefined) return checked.value;
  throw new Failure('unexpected-output', {
    what: `"incus query ${path}"`,
    why: `its output has an unexpected format: ${misfitText(checked.misfit, 'the document')}`,
    next: 'check the version of Incus on this host: incus version',
  });
}

/** The parts that containers need and that an Incus already has. */
export interface IncusState {
  readonly pools: readonly string[];
  readonly bridges: readonly string[];
  /** Whether the default profile has a root disk, and whether it has a network interface. */
  readonly rootDevice: boolean;
  readonly nicDevice: boolean;
}

async function incusState(env: Readonly<Record<string, string>> = {}): Promise<IncusState> {
  const [pools, networks, profile] = await Promise.all([
    queryIncus('/1.0/storage-pools?recursion=1', namedList, env),
    queryIncus('/1.0/networks?recursion=1', namedList, env),
    queryIncus('/1.0/profiles/default', profileAnswer, env),
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
  /** Environment of the Incus to initialise (`INCUS_DIR`). Default: the machine's own Incus. */
  readonly env?: Readonly<Record<string, string>>;
  readonly bridgeName?: string;
  /** Driver and source of the pool, such as a ZFS dataset or a spare block device. Default: chosen automatically. */
  readonly storage?: { readonly driver: Driver; readonly source?: string; readonly sizeBytes?: number };
  /** Called if the pool could be on ZFS but this machine lacks it. Resolves to whether it has been installed. */
  readonly offerZfs?: () => Promise<boolean>;
  /** The bridge's own address with the prefix length. Default: a free one. */
  readonly bridgeAddress?: string;
  /** Returns the one that containers have which Incus does not know any more, if it is known. */
  readonly formerBridgeAddress?: () => Promise<string | undefined>;
}

/** Chooses the driver of a pool: ZFS if the machine has it or gets it now, else btrfs, else a plain folder. */
async function chooseDriver({ say, offerZfs }: InitialiseOptions): Promise<Driver> {
  if (await zfsWorks()) return 'zfs';
  if (await offerZfs?.()) {
    if (await zfsWorks()) return 'zfs';
    say('ZFS is installed, but its kernel module cannot be loaded');
  }
  if (await kernelHas('btrfs')) {
    say('The pool is on btrfs: root in a container can make subvolumes, which its disk quota does not count');
    return 'btrfs';
  }
  say('This kernel has neither ZFS nor btrfs: the pool is a plain folder, and disk quotas will not be enforced');
  return 'dir';
}

async function choosePool(options: InitialiseOptions): Promise<NonNullable<Parts['pool']>> {
  const folder = incusDir(options.env);
  await mkdir(folder, { recursive: true });
  const chosen = options.storage;
  const driver = chosen?.driver ?? (await chooseDriver(options));
  if (driver === 'dir') return { name: 'default', driver };
  if (chosen?.source !== undefined) return { name: 'default', driver, source: chosen.source };
  if (chosen?.sizeBytes !== undefined) return { name: 'default', driver, sizeBytes: chosen.sizeBytes };
  const { bavail, bsize } = await statfs(folder);
  return { name: 'default', driver, sizeBytes: poolSize(bavail * bsize, folder) };
}

async function chooseBridgeAddress(options: InitialiseOptions, isLost: boolean): Promise<string> {
  const former = isLost ? await options.formerBridgeAddress?.() : undefined;
  return options.bridgeAddress ?? former ?? freeSubnet(await usedRanges());
}

/** Adds a pool and a managed bridge if Incus has none, and adds both to a default profile that lacks them. */
export async function initialiseIncus(options: InitialiseOptions): Promise<void> {
  const env = options.env ?? {};
  const state = await incusState(env);
  const pool = state.pools.length === 0 ? await choosePool(options) : undefined;
  // A profile with a network of its own (macvlan, an existing bridge) is an admin's decision: add no bridge beside it.
  const lost = pool?.driver === 'zfs' && pool.source !== undefined && (await hasContainers(pool.source));
  const bridge =
    state.bridges.length === 0 && !state.nicDevice
      ? { name: options.bridgeName ?? 'incusbr0', address: await chooseBridgeAddress(options, lost) }
      : undefined;
  const poolName = pool?.name ?? (state.pools.length === 1 ? state.pools[0] : undefined);
  const networkName = bridge?.name ?? (state.bridges.length === 1 ? state.bridges[0] : undefined);
  const profile = {
    ...(state.rootDevice || poolName === undefined ? {} : { root: { pool: poolName } }),
    ...(state.nicDevice || networkName === undefined ? {} : { nic: { network: networkName } }),
  };
  if (pool === undefined && bridge === undefined && Object.keys(profile).length === 0) return;
  if (pool !== undefined && !lost) {
    const size = pool.sizeBytes === undefined ? '' : ` of ${Math.round(pool.sizeBytes / gibibyte)} GiB`;
    options.say(
      `Creating the storage pool "${pool.name}" (${pool.driver}${size}${pool.source === undefined ? '' : `, on ${pool.source}`})`,
    );
  }
  if (bridge !== undefined)
    options.say(
      `Creating the bridge "${bridge.name}" (${bridge.address}, NAT, no IPv6, DHCP for known instances only)`,
    );
  if (Object.keys(profile).length > 0) options.say('Adding the missing root disk or network to the default profile');
  const preseed = (parts: Parts): Promise<unknown> =>
    run('incus', ['admin', 'init', '--preseed'], { input: renderPreseed(parts), timeoutMs: 5 * 60_000, env });
  const withBridge = bridge === undefined ? {} : { bridge };
  if (pool?.source !== undefined && lost) {
    // Containers are taken over only when there is the bridge that they use.
    await preseed({ profile: {}, ...withBridge });
    options.say(`Taking over the containers in ${pool.source}, which Incus does not know: its database was lost`);
    await recoverPool({ name: pool.name, source: pool.source }, env);
    await preseed({ profile });
  } else await preseed({ profile, ...(pool === undefined ? {} : { pool }), ...withBridge });
}
