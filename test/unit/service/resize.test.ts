/** `resize` on a simulated host with the running container of alice: 4 CPUs, 4 GiB of memory, 50 GiB of disk. */
import { cpus, totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { FailureCode } from '../../../src/domain/failure.ts';
import { plural } from '../../../src/domain/text.ts';
import { formatHuman } from '../../../src/domain/values/size.ts';
import { parseName } from '../../../src/domain/values/username.ts';
import { createContainer } from '../../../src/service/create.ts';
import { resizeContainer, type ResizeRequest } from '../../../src/service/resize.ts';
import type { Fault } from '../../../src/simulated/faults/faults.ts';
import type { HostState, InstanceRecord } from '../../../src/simulated/state/state.ts';
import {
  alice,
  callBy,
  changesOf,
  hosts,
  refused,
  reportInstances,
  undone,
  whileHeld,
  withoutQuotas,
  type HostOptions,
} from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { hostStateOf, type World } from '../../support/world/world.ts';

const gib = 1024 ** 3;
const mib = 1024 ** 2;

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey('alice@desk')] }, callBy());
});

const resize = (world: World, size: Partial<ResizeRequest>): ReturnType<typeof resizeContainer> =>
  resizeContainer(world.context, { user: alice, ...size }, callBy());

const instanceIn = ({ instances }: HostState): InstanceRecord => {
  const found = instances['alice-container'];
  if (found === undefined) throw new Error('the host has no container of alice');
  return found;
};

/** Returns the sizes as Incus has them. */
const sizesOf = (world: World): (string | undefined)[] => {
  const { config, devices } = instanceIn(hostStateOf(world.folder));
  return [config['limits.cpu'], config['limits.memory'], devices['root']?.['size']];
};

/** Makes Incus report no disk usage, as it does for a stopped container on some drivers. */
const hideUsage = (world: World): void =>
  reportInstances(world, ({ state, ...instance }) => ({
    ...instance,
    ...(state === undefined || state === null ? {} : { state: { ...state, disk: null } }),
  }));

describe('resize', () => {
  it.each<[what: string, size: Partial<ResizeRequest>, from: string, to: string, sizes: readonly string[]]>([
    ['cpu', { cpu: 2 }, '4', '2', ['2', '4GiB', '50GiB']],
    ['memory', { memory: 8 * gib }, '4GiB', '8GiB', ['4', '8GiB', '50GiB']],
    ['disk', { disk: 20 * gib }, '50GiB', '20GiB', ['4', '4GiB', '20GiB']],
  ])('changes the %s alone, while the container runs', async (what, size, from, to, sizes) => {
    const world = await host();
    const started = instanceIn(hostStateOf(world.folder)).run?.startedAtMs;
    expect(await resize(world, size)).toEqual({
      user: 'alice',
      container: 'alice-container',
      changes: [{ what, from, to }],
      operation: expect.stringMatching(/^[0-9A-Z]{26}$/) as string,
    });
    expect(sizesOf(world)).toEqual(sizes);
    expect(instanceIn(hostStateOf(world.folder)).run?.startedAtMs).toBe(started);
    expect(await world.faults()).toEqual([]);
  });

  it('changes all sizes in one request, which leaves the rest of the disk device as it is', async () => {
    const world = await host();
    const { changes } = await resize(world, { cpu: 8, memory: 64 * mib * 4, disk: gib });
    expect(changes.map(({ what }) => what)).toEqual(['cpu', 'memory', 'disk']);
    expect(changesOf(world)).toHaveLength(1);
    expect(instanceIn(hostStateOf(world.folder)).devices['root']).toEqual({
      type: 'disk',
      path: '/',
      pool: 'default',
      size: '1GiB',
    });
  });

  it('changes the process limit alone, while the container runs', async () => {
    const world = await host();
    const { changes } = await resize(world, { processes: 5000 });
    expect(changes).toEqual([{ what: 'processes', from: '2000', to: '5000' }]);
    const { config, run } = instanceIn(hostStateOf(world.folder));
    expect(config['limits.processes']).toBe('5000');
    expect(run).not.toBeNull();
  });

  it('names only the sizes that differ', async () => {
    const { changes } = await resize(await host(), { cpu: 4, memory: 8 * gib, disk: 50 * gib });
    expect(changes).toEqual([{ what: 'memory', from: '4GiB', to: '8GiB' }]);
  });

  it('makes no operation for sizes that the container has, in any unit', async () => {
    const world = await host({ edit: (state) => void (instanceIn(state).config['limits.memory'] = '4096MiB') });
    expect(await resize(world, { cpu: 4, memory: 4 * gib, disk: 50 * gib })).toEqual({
      user: 'alice',
      container: 'alice-container',
      changes: [],
      operation: null,
    });
    expect(changesOf(world)).toEqual([]);
  });

  it('sets a limit that the container does not have', async () => {
    const world = await host({ edit: (state) => delete instanceIn(state).config['limits.cpu'] });
    const { changes } = await resize(world, { cpu: 1 });
    expect(changes).toEqual([{ what: 'cpu', from: null, to: '1' }]);
  });

  it('takes the least sizes with which a container starts', async () => {
    const world = await host({ edit: (state) => void (instanceIn(state).run = null) });
    await resize(world, { memory: 64 * mib, disk: gib });
    expect(sizesOf(world)).toEqual(['4', '64MiB', '1GiB']);
  });

  it('changes the memory on a pool without quotas', async () => {
    const world = await host({ edit: withoutQuotas });
    await resize(world, { memory: 8 * gib });
    expect(sizesOf(world)[1]).toBe('8GiB');
  });

  it('makes a disk larger whose usage Incus does not know', async () => {
    const world = await host();
    hideUsage(world);
    await resize(world, { disk: 60 * gib });
    expect(sizesOf(world)[2]).toBe('60GiB');
  });
});

describe('resize refuses, and changes nothing,', () => {
  const provisioning = (state: string): HostOptions => ({
    edit: (host) => void (instanceIn(host).config['user.containarium.state'] = state),
  });
  it.each<[what: string, code: FailureCode, why: string | RegExp, size: Partial<ResizeRequest>, options: HostOptions]>([
    ['a user without a container', 'not-found', /^no such container$/, { user: parseName('zoe'), cpu: 1 }, {}],
    [
      'a container that an operation left unfinished',
      'wrong-state',
      /left unfinished \(creating\)/,
      { cpu: 1 },
      provisioning('creating'),
    ],
    ['less memory than is in use', 'below-use', /^\d+\.?\d* MiB is in use$/, { cpu: 1, memory: 64 * mib }, {}],
    [
      'memory with which no container starts',
      'invalid-size',
      /too small/,
      { memory: 64 * mib - 1 },
      { edit: (state) => void (instanceIn(state).run = null) },
    ],
    ['less disk than is in use', 'below-use', /^\d+\.?\d* MiB is in use$/, { cpu: 1, disk: 5 * mib }, {}],
    ['a disk with which no container starts', 'invalid-size', /too small/, { disk: gib - 1 }, {}],
    [
      'a disk size on a pool without quotas',
      'settings',
      /its driver \(dir\) has no quotas/,
      { cpu: 1, disk: 60 * gib },
      { edit: withoutQuotas },
    ],
  ])('%s', async (_, code, why, size, options) => {
    const world = await host(options);
    const failure = await refused(world, () => resize(world, size));
    expect([failure.code, failure.why]).toEqual([code, expect.stringMatching(why)]);
    expect(sizesOf(world)).toEqual(['4', '4GiB', '50GiB']);
  });

  it('less memory than is in use, with both sizes in its details', async () => {
    const world = await host();
    expect(await refused(world, () => resize(world, { memory: 64 * mib }))).toMatchObject({
      what: 'memory 64MiB',
      next: 'stop programs in the container, or choose a larger size',
      details: { wantedBytes: 64 * mib, usedBytes: expect.any(Number) as number },
    });
  });

  it('fewer processes than are running', async () => {
    const world = await host();
    reportInstances(world, ({ state, ...instance }) => ({
      ...instance,
      ...(state === undefined || state === null ? {} : { state: { ...state, processes: 150 } }),
    }));
    expect(await refused(world, () => resize(world, { processes: 150 }))).toMatchObject({
      code: 'below-use',
      what: 'process limit 150',
      why: '150 processes and threads are running',
    });
  });

  it('a root disk that comes from a profile, and names the command that changes it', async () => {
    const world = await host();
    reportInstances(world, ({ devices: { root = {}, ...devices }, ...instance }) => ({
      ...instance,
      devices,
      expanded_devices: { ...devices, root },
    }));
    const failure = await refused(world, () => resize(world, { cpu: 1, disk: 60 * gib }));
    expect(failure).toMatchObject({
      code: 'wrong-state',
      why: 'its root disk comes from a profile',
      next: 'incus config device override alice-container root size=60GiB',
    });
  });

  it('a smaller disk whose usage Incus does not know', async () => {
    const world = await host();
    hideUsage(world);
    expect(await refused(world, () => resize(world, { disk: 40 * gib }))).toMatchObject({
      code: 'wrong-state',
      what: 'disk 40GiB',
    });
  });

  it('a container that another operation holds', async () => {
    const world = await host();
    const failure = await refused(world, () => whileHeld(world, 'alice', () => resize(world, { cpu: 1 })));
    expect(failure.code).toBe('busy');
  });
});

describe('resize restores every size if', () => {
  it.each<[what: string, mode: Fault['mode'], code: FailureCode]>([
    ['Incus refuses the request', 'fail-before', 'program-failed'],
    ['its client fails after the change', 'fail-after', 'program-failed'],
    ['its client hangs after the change', 'hang-after', 'timeout'],
  ])('%s', async (_, mode, code) => {
    const world = await host({ faults: [{ match: { argIncludes: 'PATCH' }, mode }] });
    const failure = await undone(world, () => resize(world, { cpu: 1, memory: 8 * gib, disk: 60 * gib }));
    expect(failure.code).toBe(code);
    expect(sizesOf(world)).toEqual(['4', '4GiB', '50GiB']);
  });

  it('a limit that was not set before was set', async () => {
    const world = await host({
      edit: (state) => delete instanceIn(state).config['limits.cpu'],
      faults: [{ match: { argIncludes: 'PATCH' }, mode: 'fail-after' }],
    });
    await undone(world, () => resize(world, { cpu: 1 }));
    expect(instanceIn(hostStateOf(world.folder)).config).not.toHaveProperty('limits.cpu');
  });
});

describe('a size that cannot be', () => {
  it.each([
    [{ cpu: 512 }, `the host has ${plural(cpus().length, 'CPU')}, so a limit of 512 limits nothing`],
    [
      { memory: 100 * 1024 * gib },
      `the host has ${formatHuman(totalmem())} of memory, so a limit of 100 TiB limits nothing`,
    ],
    [{ disk: 101 * gib }, 'the disk (101GiB) is larger than the whole pool (100GiB)'],
  ])('is applied, with a warning of what the host has: %j', async (size, warning) => {
    const { changes, warnings } = await resize(await host(), size);
    expect(changes).toHaveLength(1);
    expect(warnings).toEqual([warning]);
  });

  it('is not warned of if the host has it', async () => {
    expect((await resize(await host(), { cpu: 1, memory: gib, disk: 100 * gib })).warnings).toBeUndefined();
  });
});
