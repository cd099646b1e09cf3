/** The schema of the simulated host's JSON file. Sizes are in bytes, times in milliseconds since 1970. */
import * as z from 'zod';
import { missingBridgeSettings } from '../../host/incus/bridgeSettings.ts';
import { systemAccounts, systemGroups } from './systemAccounts.ts';

const stringMap = z.record(z.string(), z.string());
const devices = z.record(z.string(), stringMap);

const fileEntry = z.object({ content: z.string(), mode: z.string(), uid: z.number(), gid: z.number() });
const files = z.record(z.string(), fileEntry);

/** What an instance has while it runs. */
const run = z.object({
  startedAtMs: z.number(),
  pid: z.number(),
  /** IPv4 address of the first NIC. */
  address: z.string().nullable(),
  /** The host key that sshd loaded, as `ssh-ed25519 AAAA…`; null if no sshd runs. */
  hostKey: z.string().nullable(),
  isPaused: z.literal(true).optional(),
  /** Whether the console log was read since the start. */
  consoleRead: z.boolean().optional(),
});

/** The templates of an instance or image: their texts by name, and for which path each is used, at which events. */
const templates = z.object({
  texts: stringMap,
  paths: z.record(z.string(), z.object({ template: z.string(), when: z.array(z.string()) })),
});

/** What an instance has that a snapshot keeps. */
const snapshot = z.object({
  name: z.string(),
  createdAtMs: z.number(),
  /** 0 for never. */
  expiresAtMs: z.number(),
  config: stringMap,
  devices,
  files,
  prepared: z.boolean(),
  /** By which ZFS recognizes it; absent for a copy of a real host. */
  guid: z.string().optional(),
});

/** What ZFS has of a dataset, and Incus does not know. */
const dataset = z.object({
  /** A bookmark holds no files. These say what has changed since. */
  bookmarks: z.array(z.object({ name: z.string(), guid: z.string(), files })),
  /** Snapshots that "zfs receive" has made, the oldest first. */
  received: z.array(z.object({ name: z.string(), guid: z.string() })),
  /** What is wrong with the folder of the instance, because a stream put it there. */
  trouble: z.string().optional(),
});

const instance = z.object({
  name: z.string(),
  createdAtMs: z.number(),
  lastUsedAtMs: z.number().nullable(),
  config: stringMap,
  devices,
  files,
  /** Whether the image has the first-boot unit and an sshd. */
  prepared: z.boolean(),
  templates: templates.optional(),
  /** Set for one whose files were not read: as in a copy of a host, its public host key stands for the private one. */
  isCopy: z.boolean().optional(),
  /** Total running time before the current start. */
  ranMs: z.number(),
  run: run.nullable(),
  /** The oldest first. */
  snapshots: z.array(snapshot).default([]),
  /** The backups on Incus's disk. */
  backups: z.array(snapshot).default([]),
  /** Console log that was still unread at the last stop. */
  consoleLog: z.string().optional(),
  dataset: dataset.optional(),
  /** A quota below the used space: btrfs refused it, but enforces it until the size changes again. */
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
  /** Whether `incus create` downloaded it from a remote. */
  cached: z.boolean(),
  prepared: z.boolean(),
  templates: templates.optional(),
  files,
});

/** Work that Incus carries on with although its client is gone. */
const underway = z.object({
  id: z.string(),
  program: z.string(),
  args: z.array(z.string()),
  input: z.string(),
  description: z.string(),
  instance: z.string().optional(),
  doneAtMs: z.number(),
});

const network = z.object({
  name: z.string(),
  type: z.string(),
  managed: z.boolean(),
  config: stringMap,
  /** The option of a bridge of this name (ip-link(8)). */
  noLinkLocalLearn: z.boolean().optional(),
});
const pool = z.object({
  name: z.string(),
  driver: z.string(),
  config: stringMap,
  totalBytes: z.number(),
  /** What ZFS says is wrong with it. */
  trouble: z.string().optional(),
  /** When ZFS was last told to scrub it. */
  scrubbedAtMs: z.number().optional(),
});

const account = z.object({
  name: z.string(),
  uid: z.number(),
  gid: z.number(),
  comment: z.string(),
  home: z.string(),
  shell: z.string(),
});
const group = z.object({ name: z.string(), gid: z.number(), members: z.array(z.string()) });

/** The only version of the file that is read. */
const stateVersion = 1;

export const hostState = z.object({
  version: z.literal(stateVersion),
  /** Time of the last change. The simulated host's clock never goes back behind it. */
  clock: z.number(),
  /** Source of unique numbers, for process IDs and image fingerprints. */
  serial: z.number(),
  instances: z.record(z.string(), instance),
  images: z.array(image),
  networks: z.array(network),
  pools: z.array(pool),
  accounts: z.array(account),
  groups: z.array(group),
  jumpKeys: stringMap,
  underway: z.array(underway).default([]),
  /**
   * Set for a copy of a real host. It accepts every configuration, device and size, because the real Incus has accepted
   * what is there, and every image server has every image.
   */
  isCopy: z.boolean().optional(),
  /** What the server can do (`api_extensions`), where that is known. */
  apiExtensions: z.array(z.string()).optional(),
  /** The tables of nftables that `nft -f` loaded, by family and name. */
  tables: stringMap.default({}),
  /** What sendmail(8) got, the newest last. */
  mails: z.array(z.string()).default([]),
  /** What logger(1) got, the newest last. */
  syslog: z.array(z.string()).default([]),
});

export type HostState = z.infer<typeof hostState>;
export type InstanceRecord = z.infer<typeof instance>;
export type SnapshotRecord = z.infer<typeof snapshot>;
export type ImageRecord = z.infer<typeof image>;
export type UnderwayRecord = z.infer<typeof underway>;
export type NetworkRecord = z.infer<typeof network>;
export type PoolRecord = z.infer<typeof pool>;
export type AccountRecord = z.infer<typeof account>;
export type GroupRecord = z.infer<typeof group>;
export type InstanceFiles = z.infer<typeof files>;
export type Devices = z.infer<typeof devices>;

const gib = 1024 ** 3;

/** Returns a host as `serve --real` prepares it: a pool and a bridge, no instances. */
export function freshState(nowMs: number): HostState {
  const bridge = { 'ipv4.address': '10.0.3.1/24', 'ipv4.nat': 'true', 'ipv6.address': 'none' };
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
        config: { ...bridge, ...missingBridgeSettings(bridge) },
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
    tables: {},
    mails: [],
    syslog: [],
  };
}
