import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import type { Username } from '../../../../src/domain/values/username.ts';
import type { IncusInstance } from '../../../../src/host/incus/documents.ts';
import { listContainers } from '../../../../src/service/list.ts';
import type { Call, HostContext } from '../../../../src/service/instances/context.ts';
import { memoryUsed } from '../../../../src/service/instances/memory.ts';
import { resizeContainer } from '../../../../src/service/resize.ts';

const mib = 1024 ** 2;

function instance(user: string, usage?: number, status = 'Running'): IncusInstance {
  return {
    name: `${user}-container`,
    type: 'container',
    status,
    created_at: '',
    last_used_at: '',
    location: 'none',
    config: { 'user.containarium.owner': user, 'user.containarium.state': 'ready', 'limits.memory': '2GiB' },
    devices: {},
    state: { status, ...(usage === undefined ? {} : { memory: { usage, total: 2048 * mib } }) },
  };
}

function contextOf(
  instances: readonly IncusInstance[],
  memoryInUse: () => Promise<ReadonlyMap<string, number>>,
): HostContext {
  const fake = {
    incus: {
      instancesWithState: () => Promise.resolve(instances),
      instance: (name: string) => Promise.resolve(instances.find((each) => each.name === name)),
      memoryInUse,
    },
    operations: { ensureFree: () => undefined, run: () => Promise.reject(new Error('all checks passed')) },
  };
  return fake as unknown as HostContext;
}

const call = { signal: new AbortController().signal } as Call;

describe('memory used', () => {
  it.each([
    ['without page cache', 2048, 45, 45],
    ['at most what is charged now: it was restarted since Incus measured', 30, 400, 30],
    ['all that is charged, where Incus has not measured yet', 30, undefined, 30],
    ['nothing in one that is stopped, whatever it used before', 0, 400, 0],
    ['not known where Incus does not know', -1, 400, undefined],
    ['not known where Incus says nothing', undefined, 400, undefined],
  ])('is %s', (_what, charged, inUse, expected) => {
    expect(
      memoryUsed(instance('alice', charged), new Map(inUse === undefined ? [] : [['alice-container', inUse]])),
    ).toBe(expected);
  });

  it('is what a list shows; one that is missing in the metrics does not break it', async () => {
    const instances = [instance('alice', 2048 * mib), instance('bob', 30 * mib), instance('carol', 0, 'Stopped')];
    const { containers } = await listContainers(
      contextOf(instances, () => Promise.resolve(new Map([['alice-container', 45 * mib]]))),
      {},
      call,
    );
    expect(containers.map(({ memoryUsedBytes }) => memoryUsedBytes)).toEqual([45 * mib, 30 * mib, null]);
  });

  it('fails the list where it cannot be asked for', async () => {
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

  it('goes below what is charged with page cache', async () => {
    await expect(resize(1024 * mib)).rejects.toThrow('all checks passed');
  });

  it('does not go below what is in use', async () => {
    await expect(resize(499 * mib)).rejects.toMatchObject({ code: 'below-use', details: { usedBytes: 500 * mib } });
  });
});
