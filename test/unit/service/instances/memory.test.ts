import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import type { Username } from '../../../../src/domain/values/username.ts';
import type { IncusInstance } from '../../../../src/host/incus/documents.ts';
import { InstanceMirror } from '../../../../src/host/mirror/mirror.ts';
import { listContainers } from '../../../../src/service/list.ts';
import type { Call, HostContext } from '../../../../src/service/instances/context.ts';
import { memoryUsed } from '../../../../src/service/instances/memory.ts';
import { resizeContainer } from '../../../../src/service/resize.ts';
import { instanceOwnedBy } from '../../../support/instanceSource.ts';

const mib = 1024 ** 2;

function instance(user: string, usage?: number, status = 'Running'): IncusInstance {
  const owned = instanceOwnedBy(user, status);
  return {
    ...owned,
    config: { ...owned.config, 'user.containarium.state': 'ready', 'limits.memory': '2GiB' },
    state: { status, ...(usage === undefined ? {} : { memory: { usage, total: 2048 * mib } }) },
  };
}

function contextOf(
  instances: readonly IncusInstance[],
  memoryInUse: () => Promise<ReadonlyMap<string, number>>,
): HostContext {
  const incus = {
    instancesWithState: () => Promise.resolve(instances),
    instance: (name: string) => Promise.resolve(instances.find((each) => each.name === name)),
    memoryInUse,
    onChange: () => undefined,
  } as unknown as HostContext['incus'];
  const fake = {
    incus,
    mirror: new InstanceMirror({ incus, source: { events: () => new Promise(() => undefined) } }),
    backupAges: { of: () => null },
    oomLog: { listedKills: () => Promise.resolve(undefined) },
    operations: { ensureFree: () => undefined, run: () => Promise.reject(new Error('all checks passed')) },
  };
  return fake as unknown as HostContext;
}

const call = { signal: new AbortController().signal } as Call;

describe('memory use', () => {
  it.each([
    ['the figure without page cache', 2048, 45, 45],
    ['at most the charged memory, for a container restarted since the measurement', 30, 400, 30],
    ['all the charged memory, before Incus has measured', 30, undefined, 30],
    ['zero for a stopped container, whatever it used before', 0, 400, 0],
    ['unknown if Incus does not know it', -1, 400, undefined],
    ['unknown if Incus does not report it', undefined, 400, undefined],
  ])('is %s', (_what, charged, inUse, expected) => {
    expect(
      memoryUsed(instance('alice', charged), new Map(inUse === undefined ? [] : [['alice-container', inUse]])),
    ).toBe(expected);
  });

  it('is shown by list, which tolerates a container that is missing from the metrics', async () => {
    const instances = [instance('alice', 2048 * mib), instance('bob', 30 * mib), instance('carol', 0, 'Stopped')];
    const { containers } = await listContainers(
      contextOf(instances, () => Promise.resolve(new Map([['alice-container', 45 * mib]]))),
      {},
      call,
    );
    expect(containers.map(({ memoryUsedBytes }) => memoryUsedBytes)).toEqual([45 * mib, 30 * mib, null]);
  });

  it('makes list fail if it cannot be queried', async () => {
    const broken = new Failure('incus-unavailable', { what: 'Incus', why: 'its server does not answer' });
    await expect(
      listContainers(
        contextOf([], () => Promise.reject(broken)),
        {},
        call,
      ),
    ).rejects.toBe(broken);
  });
});

describe('resize --memory', () => {
  const context = contextOf([instance('alice', 2048 * mib)], () =>
    Promise.resolve(new Map([['alice-container', 500 * mib]])),
  );
  const resize = (memory: number): Promise<unknown> =>
    resizeContainer(context, { user: 'alice' as Username, memory }, call);

  it('may go below the charged memory, page cache included', async () => {
    await expect(resize(1024 * mib)).rejects.toThrow('all checks passed');
  });

  it('refuses to go below the memory in use', async () => {
    await expect(resize(499 * mib)).rejects.toMatchObject({ code: 'below-use', details: { usedBytes: 500 * mib } });
  });
});
