/** What the simulated host knows: the shape of its JSON file. Sizes in bytes, times in milliseconds since 1970. */
import { z } from 'zod';
import { systemAccounts, systemGroups } from './systemAccounts.ts';

const stringMap = z.record(z.string(), z.string());
const devices = z.record(z.string(), stringMap);

const fileEntry = z.object({ content: z.string(), mode: z.string(), uid: z.number(), gid: z.number() });
const files = z.record(z.string(), fileEntry);

/** What a running instance got when it started. */
const run = z.object({
  startedAtMs: z.number(),
  pid: z.number(),
  /** The IPv4 address of its first NIC. */
  address: z.string().nullable(),
  /** The host key its sshd loaded, as `ssh-ed25519 AAAA…`; null where no sshd runs. */
  hostKey: z.string().nullable(),
  /** What it said on its console was read already. */
  consoleRead: z.boolean().optional(),
});

const instance = z.object({
  name: z.string(),
  createdAtMs: z.number(),
  lastUsedAtMs: z.number().nullable(),
  config: stringMap,
  devices,
  files,
  /** Its image runs first-boot seeding and an sshd. */
  prepared: z.boolean(),
  /** How long it has run before its present start. */
  ranMs: z.number(),
  run: run.nullable(),
  /** What was left to read of its console when it was last stopped. */
  consoleLog: z.string().optional(),
  /** A quota below what was used: btrfs refused it, and holds to it until the size is changed again. */
  stuckQuotaBytes: z.number().optional(),
});

const image = z.object({
  fingerprint: z.string(),
  aliases: z.array(z.string()),
  properties: stringMap,
  sizeBytes: z.number(),
  createdAtMs: z.number(),
  uploadedAtMs: z.number(),
  lastUsedAtMs: z.number().nullable(),
  /** Downloaded from a remote for `incus create`. */
  cached: z.boolean(),
  prepared: z.boolean(),
  files,
});

/** Work that Incus goes on with although its client is gone. */
const underway = z.object({
  id: z.string(),
  program: z.string(),
  args: z.array(z.string()),
  input: z.string(),
  description: z.string(),
  instance: z.string().optional(),
  doneAtMs: z.number(),
});

const network = z.object({ name: z.string(), type: z.string(), managed: z.boolean(), config: stringMap });
const pool = z.object({ name: z.string(), driver: z.string(), config: stringMap, totalBytes: z.number() });

const account = z.object({
  name: z.string(),
  uid: z.number(),
  gid: z.number(),
  comment: z.string(),
  home: z.string(),
  shell: z.string(),
});
const group = z.object({ name: z.string(), gid: z.number(), members: z.array(z.string()) });

/** Only this version is read; another one is refused rather than guessed at. */
export const stateVersion = 1;

export const hostState = z.object({
  version: z.literal(stateVersion),
  /** The time of the last change: what the simulated host calls "now" never goes behind it. */
  clock: z.number(),
  /** Counts everything that needs a number of its own: process ids, image fingerprints. */
  serial: z.number(),
  instances: z.record(z.string(), instance),
  images: z.array(image),
  networks: z.array(network),
  pools: z.array(pool),
  accounts: z.array(account),
  groups: z.array(group),
  jumpKeys: stringMap,
  underway: z.array(underway).default([]),
});

export type HostState = z.infer<typeof hostState>;
export type InstanceRecord = z.infer<typeof instance>;
export type ImageRecord = z.infer<typeof image>;
export type UnderwayRecord = z.infer<typeof underway>;
export type NetworkRecord = z.infer<typeof network>;
export type PoolRecord = z.infer<typeof pool>;
export type AccountRecord = z.infer<typeof account>;
export type GroupRecord = z.infer<typeof group>;
export type FileEntry = z.infer<typeof fileEntry>;
export type InstanceFiles = z.infer<typeof files>;
export type Devices = z.infer<typeof devices>;

const gib = 1024 ** 3;

/** A host just after `incus admin init`: a pool, a bridge, nothing on it. */
export function freshState(nowMs: number): HostState {
  return {
    version: stateVersion,
    clock: nowMs,
    serial: 0,
    instances: {},
    images: [],
    networks: [
      {
        name: 'incusbr0',
        type: 'bridge',
        managed: true,
        config: { 'ipv4.address': '10.0.3.1/24', 'ipv4.nat': 'true', 'ipv6.address': 'none' },
      },
      { name: 'lo', type: 'loopback', managed: false, config: {} },
      { name: 'eth0', type: 'physical', managed: false, config: {} },
    ],
    pools: [
      {
        name: 'default',
        driver: 'btrfs',
        config: { size: '100GiB', source: '/var/lib/incus/disks/default.img' },
        totalBytes: 100 * gib,
      },
    ],
    accounts: systemAccounts.map((entry) => ({ ...entry })),
    groups: systemGroups.map(([name, gid]) => ({ name, gid, members: [] })),
    jumpKeys: {},
    underway: [],
  };
}
