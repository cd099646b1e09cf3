/** `start`, `stop` and `restart` on a simulated host with the running container of alice and the stopped one of bob. */
import { describe, expect, it, vi } from 'vitest';
import { createContainer } from '../../../src/service/create.ts';
import { deleteContainer } from '../../../src/service/delete.ts';
import { listContainers } from '../../../src/service/list.ts';
import { restartContainer, startContainer, stopContainer } from '../../../src/service/power.ts';
import type { Fault } from '../../../src/simulated/faults/faults.ts';
import type { HostState } from '../../../src/simulated/state/state.ts';
import { alice, bob, callBy, changesOf, hosts, owner, refused } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { hostStateOf, type World } from '../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  for (const user of [alice, bob]) await createContainer(world.context, { user, keys: [newKey(user)] }, callBy());
  await stopContainer(world.context, { user: bob }, callBy());
});

const runs = (world: World, user = 'alice'): boolean =>
  hostStateOf(world.folder).instances[`${user}-container`]?.run !== null;

/** Makes the instance of alice Ready, as root in it can. */
const makeReady = (state: HostState): void => {
  const found = state.instances['alice-container'];
  if (found !== undefined) found.config['volatile.last_state.ready'] = 'true';
};

/** Makes `act` happen right before the next start, stop or restart of an instance. */
function before(world: World, verb: 'start' | 'stop' | 'restart', act: () => Promise<void>): void {
  const { incus } = world.context;
  const original = incus[verb].bind(incus) as (...args: unknown[]) => Promise<void>;
  vi.spyOn(incus, verb).mockImplementationOnce(async (...args: unknown[]) => {
    await act();
    await original(...args);
  });
}

describe('a container whose guest says that it is ready', () => {
  it('counts as running', async () => {
    const world = await host({ edit: makeReady });
    const list = await listContainers(world.context, {}, callBy());
    expect(list).toMatchObject({ total: 2, running: 1, stopped: 1 });
    const found = list.containers.find(({ user }) => user === 'alice');
    expect(found).toMatchObject({ status: 'running', startedAt: expect.any(String) as string });
    expect(found?.memoryUsedBytes).toBeGreaterThan(0);
    expect(await world.must('info', {})).toMatchObject({ hostInfo: { containers: { total: 2, running: 1 } } });
  });

  it('is already running for start, which changes nothing', async () => {
    const world = await host({ edit: makeReady });
    const result = await startContainer(world.context, { user: alice }, callBy());
    expect(result).toMatchObject({ status: 'running', changed: false, operation: null });
    expect(changesOf(world)).toEqual([]);
  });

  it('stops, and is no longer ready at the next start', async () => {
    const world = await host({ edit: makeReady });
    expect(await stopContainer(world.context, { user: alice }, callBy())).toMatchObject({ status: 'stopped' });
    await startContainer(world.context, { user: alice }, callBy());
    const { config } = hostStateOf(world.folder).instances['alice-container'] ?? {};
    expect(config?.['volatile.last_state.ready']).toBe('false');
  });
});

describe('a change of power that somebody else makes first', () => {
  it('lets start succeed without a change, and leaves the container running', async () => {
    const world = await host();
    const { incus } = world.context;
    const start = incus.start.bind(incus);
    before(world, 'start', () => start('bob-container'));
    const result = await startContainer(world.context, { user: bob }, callBy());
    expect(result).toMatchObject({ status: 'running', changed: false });
    expect(runs(world, 'bob')).toBe(true);
    expect(changesOf(world).filter((command) => command.startsWith('incus stop'))).toEqual([]);
  });

  it('lets stop succeed without a change, and leaves the container stopped', async () => {
    const world = await host();
    const { incus } = world.context;
    const stop = incus.stop.bind(incus);
    before(world, 'stop', () => stop('alice-container', { force: true }));
    const result = await stopContainer(world.context, { user: alice }, callBy());
    expect(result).toMatchObject({ status: 'stopped', changed: false });
    expect(runs(world)).toBe(false);
  });

  it('makes restart start a container that has stopped', async () => {
    const world = await host();
    const { incus } = world.context;
    before(world, 'restart', () => incus.stop('alice-container', { force: true }));
    const result = await restartContainer(world.context, { user: alice }, callBy());
    expect(result).toMatchObject({ status: 'running', changed: true });
  });

  it('does not keep delete from deleting', async () => {
    const world = await host();
    const { incus } = world.context;
    const stop = incus.stop.bind(incus);
    before(world, 'stop', () => stop('alice-container', { force: true }));
    await deleteContainer(world.context, { user: alice, purge: true }, callBy());
    expect(Object.keys(hostStateOf(world.folder).instances)).toEqual(['bob-container']);
  });
});

describe('the undo', () => {
  const fault = (argIncludes: string, mode: Fault['mode']): Fault => ({ match: { argIncludes, changes: true }, mode });

  it('of start stops a container that was stopped before', async () => {
    const world = await host({ faults: [fault('start', 'fail-after')] });
    await expect(startContainer(world.context, { user: bob }, callBy())).rejects.toMatchObject({
      code: 'program-failed',
    });
    expect(runs(world, 'bob')).toBe(false);
  });

  it('of stop starts a container that ran before', async () => {
    const world = await host({ faults: [fault('stop', 'fail-after')] });
    await expect(stopContainer(world.context, { user: alice }, callBy())).rejects.toMatchObject({
      code: 'program-failed',
    });
    expect(runs(world)).toBe(true);
  });

  it.each(['Running', 'Frozen', 'Error'])('of start leaves a container alone that was %s', async (was) => {
    const world = await host();
    await world.context.steps.startInstance.undo({ instance: 'alice-container', was });
    expect(runs(world)).toBe(true);
  });

  it.each(['stopInstance', 'restartInstance'] as const)(
    'of %s leaves a container alone that was stopped',
    async (step) => {
      const world = await host();
      await world.context.steps[step].undo({ instance: 'bob-container', was: 'Stopped' });
      expect(runs(world, 'bob')).toBe(false);
    },
  );

  it('of a step that an earlier version journaled, without the status, still works', async () => {
    const world = await host();
    const { steps } = world.context;
    await steps.startInstance.undo({ instance: 'alice-container' });
    expect(runs(world)).toBe(false);
    for (const step of [steps.stopInstance, steps.restartInstance]) {
      await world.context.incus.stop('alice-container', { force: true }).catch(() => undefined);
      await step.undo({ instance: 'alice-container' });
      expect(runs(world)).toBe(true);
    }
  });
});

describe('what an admin has stopped', () => {
  it('stays stopped: restart at self@ refuses to start it', async () => {
    const world = await host();
    const failure = await refused(world, () => restartContainer(world.context, {}, callBy(owner(bob))));
    expect(failure).toMatchObject({
      code: 'wrong-state',
      what: 'container "bob-container"',
      next: 'ask an admin to start it',
    });
    expect(await restartContainer(world.context, { user: bob }, callBy())).toMatchObject({ status: 'running' });
  });

  it('is restarted at self@ if it has stopped by itself', async () => {
    const world = await host();
    await world.context.incus.stop('alice-container', { force: true });
    expect(await restartContainer(world.context, {}, callBy(owner(alice)))).toMatchObject({ status: 'running' });
  });

  it('stays stopped although it had stopped by itself before', async () => {
    const world = await host();
    await world.context.incus.stop('alice-container', { force: true });
    expect(await stopContainer(world.context, { user: alice }, callBy())).toMatchObject({ changed: false });
    await refused(world, () => restartContainer(world.context, {}, callBy(owner(alice))));
    expect(await world.faults()).toEqual([]);
  });

  it('stays stopped although its owner was restarting it', async () => {
    const world = await host();
    const { incus } = world.context;
    let stopped: Promise<unknown> | undefined;
    vi.spyOn(incus, 'restart').mockImplementationOnce(async (name) => {
      await incus.stop(name, { force: true });
      stopped = stopContainer(world.context, { user: alice }, callBy());
      await incus.instance(name);
      await incus.start(name);
    });
    await restartContainer(world.context, {}, callBy(owner(alice)));
    expect(await stopped).toMatchObject({ changed: true, status: 'stopped' });
    expect(runs(world)).toBe(false);
  });
});

describe('the network interface of a container that an earlier version made', () => {
  /** Makes the interfaces of both containers as version 0.1 made them. */
  const unbind = (state: HostState): void => {
    for (const { devices } of Object.values(state.instances)) {
      const { host_name: _, hwaddr: __, ...device } = devices['eth0'] ?? {};
      devices['eth0'] = device;
    }
  };
  const nicOf = (world: World, user: string): unknown =>
    hostStateOf(world.folder).instances[`${user}-container`]?.devices['eth0'];

  it.each([
    ['start', bob, startContainer],
    ['restart', bob, restartContainer],
    ['restart', alice, restartContainer],
  ] as const)('is bound to its address by %s of %s', async (_, user, act) => {
    const world = await host({ edit: unbind });
    expect(await act(world.context, { user }, callBy())).toMatchObject({ status: 'running', changed: true });
    expect(nicOf(world, user)).toMatchObject({
      host_name: expect.stringMatching(/^ctn0a0003/) as string,
      hwaddr: expect.stringMatching(/^02:c7:0a:00:03:/) as string,
    });
    // The other container waits for its restart, or for reconcile.
    expect(await world.faults()).toEqual([
      expect.stringContaining(user === alice ? 'missing of bob' : 'pending of alice'),
    ]);
  });

  it.each([alice, bob])(
    'is as before if the restart of %s fails, and so is the state of the container',
    async (user) => {
      const world = await host({
        edit: unbind,
        faults: [{ match: { program: 'incus', argIncludes: 'start' }, call: 1, mode: 'fail-before' }],
      });
      const before = nicOf(world, user);
      await expect(restartContainer(world.context, { user }, callBy())).rejects.toMatchObject({
        code: 'program-failed',
      });
      expect(nicOf(world, user)).toEqual(before);
      expect(runs(world, user)).toBe(user === alice);
    },
  );
});

describe('a container that does not go down by itself', () => {
  /** Masks the target with which the guest of alice shuts down, as its root can. */
  const stubborn = (world: World): Promise<unknown> =>
    world.context.incus.exec('alice-container', ['systemctl', 'mask', 'halt.target']);

  it.each([
    ['stop', stopContainer],
    ['restart', restartContainer],
  ] as const)('is left running by %s, which says how to end it', async (_, act) => {
    const world = await host();
    await stubborn(world);
    await expect(act(world.context, { user: alice }, callBy())).rejects.toMatchObject({
      code: 'program-failed',
      why: 'Failed shutting down instance, status is "Running": context deadline exceeded',
      next: expect.stringContaining('--force') as string,
    });
    expect(runs(world)).toBe(true);
    expect(world.operations.open()).toEqual([]);
    expect(await act(world.context, { user: alice, force: true }, callBy())).toMatchObject({ changed: true });
  });
});

describe('a container that an admin of Incus has paused', () => {
  const paused = (state: HostState): void => {
    const run = state.instances['alice-container']?.run;
    if (run !== undefined && run !== null) run.isPaused = true;
  };

  it('is frozen in the list, and goes on with start', async () => {
    const world = await host({ edit: paused });
    const { containers } = await listContainers(world.context, {}, callBy());
    expect(containers.find(({ user }) => user === 'alice')?.status).toBe('frozen');
    expect(await startContainer(world.context, { user: alice }, callBy())).toMatchObject({ status: 'running' });
  });

  it('does not stop gently, and stops by force', async () => {
    const world = await host({ edit: paused });
    await expect(stopContainer(world.context, { user: alice }, callBy())).rejects.toMatchObject({
      code: 'program-failed',
    });
    expect(hostStateOf(world.folder).instances['alice-container']?.run?.isPaused).toBe(true);
    const stopped = await stopContainer(world.context, { user: alice, force: true }, callBy());
    expect(stopped).toMatchObject({ status: 'stopped', changed: true });
  });

  it('is restarted by force, and deleted', async () => {
    const world = await host({ edit: paused });
    const restarted = await restartContainer(world.context, { user: alice, force: true }, callBy());
    expect(restarted).toMatchObject({ status: 'running' });
    const again = await host({ edit: paused });
    await deleteContainer(again.context, { user: alice, purge: true }, callBy());
    expect(Object.keys(hostStateOf(again.folder).instances)).toEqual(['bob-container']);
  });
});
