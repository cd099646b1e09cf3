/** `doctor --for`: for how many containers this host has room, and what binds first. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import type { Check } from '../../domain/results/upkeep.ts';
import { plural } from '../../domain/text.ts';
import { formatHuman, formatLimit } from '../../domain/values/size.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import { readSubordinateIds, rootIds, type SubordinateIds } from '../../host/subordinateIds.ts';
import { addressRoom } from '../instances/addresses.ts';
import type { HostContext } from '../instances/context.ts';
import { memoryUsed } from '../instances/memory.ts';
import { findPlacement, type Placement } from '../instances/placement.ts';
import { problem, ok } from './outcome.ts';

/** For how many containers there is enough of something. */
interface Room {
  readonly containers: number;
  /** How the number comes about. */
  readonly how: string;
  /** What makes more room. */
  readonly next: string;
}

type Resource = readonly [name: string, room: () => Promise<Room>];

/** Where the kernel tells about itself. Tests have others. */
export interface RoomSources {
  readonly ids: () => Promise<SubordinateIds>;
  readonly proc: string;
}

const hostSources: RoomSources = { ids: () => readSubordinateIds(), proc: '/proc' };

/** Ports of a bridge: 2^10 (BR_PORT_BITS in net/bridge/br_private.h), of which the kernel does not use the first. */
const bridgePorts = 1023;

/** Process ids that the host itself needs. */
const hostProcesses = 4096;

/** Pseudoterminals that the kernel keeps for the host (kernel.pty.reserve). */
const hostTerminals = 1024;

/** Pseudoterminals of a busy user: shells, panes of tmux, and containers of Docker with a terminal. */
const terminalsEach = 16;

/** Entries of the neighbour table: that of the host for the container, and that of the container for the host. */
const neighboursEach = 2;

/** Memory of a container in which nothing but systemd and sshd runs, in bytes. Fewer is not believed. */
const minMemoryBytes = 64 * 1024 ** 2;

/** What a container writes on a copy of the prepared image before anybody uses it, in bytes. */
const minDiskBytes = 64 * 1024 ** 2;

/** Returns a check for each resource, that which binds first at the top, below what they say together. */
export async function checkRoom(
  context: HostContext,
  wanted: number,
  signal: AbortSignal,
  sources: RoomSources = hostSources,
): Promise<Check[]> {
  const [placement, instances] = await Promise.all([
    findPlacement(context, signal),
    context.incus.instancesWithState(signal),
  ]);
  const resources: readonly Resource[] = [
    ['addresses', () => ofAddresses(context, placement, signal)],
    ['bridge ports', () => Promise.resolve(ofBridge)],
    ['disk', () => ofDisk(context, placement, instances, signal)],
    ...(context.host.simulated ? [] : ofKernel(context, instances, sources, signal)),
  ];
  const found = await Promise.all(resources.map((resource) => judged(resource, wanted)));
  found.sort((a, b) => a.containers - b.containers);
  return [together(found, plural(wanted, 'container')), ...found.map(({ check }) => check)];
}

interface Judged {
  readonly containers: number;
  readonly check: Check;
}

/** Judges one resource. One that cannot be asked about has no room. */
async function judged([name, room]: Resource, wanted: number): Promise<Judged> {
  try {
    const { containers, how, next } = await room();
    const text = `${plural(containers, 'container')}: ${how}`;
    return { containers, check: { name, ...(containers >= wanted ? ok(text) : problem(text, next)) } };
  } catch (error) {
    const { what, why, next } = Failure.from(error);
    return { containers: -1, check: { name, ...problem(`not known: ${what}: ${why}`, next) } };
  }
}

function together(found: readonly Judged[], wanted: string): Check {
  const unknown = found.filter(({ containers }) => containers < 0).map(({ check }) => check.name);
  if (unknown.length > 0)
    return { name: 'room', ...problem(`whether ${wanted} fit is not known, for lack of ${unknown.join(', ')}`) };
  const [first] = found;
  const binding = first === undefined ? '' : `; ${first.check.name} would bind first, at ${first.containers}`;
  const fits = found.every(({ check }) => check.severity === 'ok');
  return { name: 'room', ...(fits ? ok(`${wanted} fit${binding}`) : problem(`${wanted} do not fit${binding}`)) };
}

const ofBridge: Room = {
  containers: bridgePorts,
  how: `a bridge of Linux has ${bridgePorts} ports`,
  next: 'use a second host, see "Several servers" in docs/deployment.md',
};

async function ofAddresses({ incus }: HostContext, placement: Placement, signal: AbortSignal): Promise<Room> {
  const { total, taken } = await addressRoom(incus, placement, signal);
  return {
    containers: total,
    how: `the network ${placement.gateway} has ${total} addresses for containers, of which ${taken} are taken`,
    next: 'enlarge the network, see "More users than addresses" in docs/runbook.md',
  };
}

async function ofDisk(
  { incus, settings }: HostContext,
  { pool }: Placement,
  instances: readonly IncusInstance[],
  signal: AbortSignal,
): Promise<Room> {
  const { usedBytes, totalBytes } = await incus.poolSpace(pool, signal);
  const used = instances.flatMap(({ state }) => state?.disk?.['root']?.usage ?? []);
  const each = Math.max(minDiskBytes, mean(used));
  const free = Math.max(0, totalBytes - usedBytes);
  const quota = settings.defaults.disk;
  return {
    containers: used.length + Math.floor(free / each),
    how: `${measured(used, each)}, pool ${pool} has ${formatHuman(free)} left; with full disks of ${formatLimit(quota)} ${Math.floor(totalBytes / quota)} fit`,
    next: 'enlarge the pool',
  };
}

/** The limits of a real host and its kernel. */
function ofKernel(
  { incus, settings }: HostContext,
  instances: readonly IncusInstance[],
  { ids, proc }: RoomSources,
  signal: AbortSignal,
): Resource[] {
  const { processes } = settings.defaults;
  /** A limit of the kernel, less what the host needs itself, of which a container takes a part. */
  const limit = (what: string, name: string, each: number, host: number): Resource => [
    what,
    async () => {
      const value = await sysctl(proc, name);
      const containers = Math.max(0, Math.floor((value - host) / each));
      return { containers, how: `${name} is ${value}, for ${each} each`, next: 'containarium serve --real raises it' };
    },
  ];
  return [
    ['subordinate ids', () => ofIds(ids)],
    limit('processes', 'kernel.pid_max', processes, hostProcesses),
    limit('terminals', 'kernel.pty.max', terminalsEach, hostTerminals),
    limit('neighbours', 'net.ipv4.neigh.default.gc_thresh3', neighboursEach, 0),
    ['memory', () => ofMemory({ incus, settings }, instances, proc, signal)],
  ];
}

async function ofIds(ids: RoomSources['ids']): Promise<Room> {
  const root = rootIds(await ids());
  return {
    containers: 'fault' in root ? 0 : root.containers,
    how: 'each has 65,536 ids of root in /etc/subuid and /etc/subgid',
    next: 'see "subordinate ids" of "doctor"',
  };
}

async function ofMemory(
  { incus, settings }: Pick<HostContext, 'incus' | 'settings'>,
  instances: readonly IncusInstance[],
  proc: string,
  signal: AbortSignal,
): Promise<Room> {
  const inUse = await incus.memoryInUse(signal);
  const used = instances.filter(({ status }) => status === 'Running').flatMap((one) => memoryUsed(one, inUse) ?? []);
  const each = Math.max(minMemoryBytes, mean(used));
  const available = await memoryBytes(proc, 'MemAvailable');
  const total = await memoryBytes(proc, 'MemTotal');
  const limit = settings.defaults.memory;
  return {
    containers: used.length + Math.floor(available / each),
    how: `${measured(used, each)}, the host has ${formatHuman(available)} left; with the full ${formatLimit(limit)} each ${Math.floor(total / limit)} fit`,
    next: 'take a larger machine, or a second host',
  };
}

async function sysctl(proc: string, name: string): Promise<number> {
  return figure(name, (await readFile(join(proc, 'sys', ...name.split('.')), 'utf8')).trim());
}

/** Returns a figure of /proc/meminfo (proc_meminfo(5)) in bytes. */
async function memoryBytes(proc: string, name: string): Promise<number> {
  const text = await readFile(join(proc, 'meminfo'), 'utf8');
  return figure(name, new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1] ?? '') * 1024;
}

function figure(name: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new Failure('unexpected-output', { what: name, why: 'the kernel tells no number' });
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function measured(values: readonly number[], each: number): string {
  return values.length === 0
    ? `no container to measure, so ${formatHuman(each)} each`
    : `${formatHuman(each)} each, the mean of ${values.length}`;
}
