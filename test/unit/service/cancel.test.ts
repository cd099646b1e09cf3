import { beforeEach, describe, expect, it, vi } from 'vitest';
import { hosts, undone } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import type { World } from '../../support/world/world.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHvBdn0vN2nJ0ypCYiYIxKkTzUBVFP4Rk8ZZ5TcDMV1h bob@laptop';

const host = hosts((world) => world.must('image build'));
let world: World;
let cancel: AbortController;
beforeEach(async () => {
  world = await host();
  cancel = new AbortController();
});

/** Cancels when this method of Incus is called for the first time, before it does anything. */
function cancelAt(method: 'create' | 'start' | 'instance' | 'exec' | 'publish' | 'patch'): void {
  const original = world.context.incus[method].bind(world.context.incus) as (...args: unknown[]) => Promise<unknown>;
  vi.spyOn(world.context.incus, method).mockImplementation(((...args: unknown[]) => {
    cancel.abort();
    return original(...args);
  }) as never);
}

const cancelled = { ok: false, failure: { code: 'cancelled', exitCode: 9, why: expect.stringMatching(/was undone/) } };

describe('a create that its caller cancels', () => {
  it.each(['create', 'start', 'instance'] as const)('at "%s" is undone', async (method) => {
    cancelAt(method);
    const failure = await undone(world, async () => {
      const outcome = await world.callUntil(cancel.signal, 'create', { user: 'bob', keys: key });
      if (!outcome.ok) throw outcome.failure;
    });
    expect(failure).toMatchObject(cancelled.failure);
  });

  it('when only the step is left that cannot be undone, is made', async () => {
    cancelAt('patch');
    expect(await world.callUntil(cancel.signal, 'create', { user: 'bob', keys: key })).toMatchObject({ ok: true });
    expect(await world.must('info', { user: 'bob' })).toMatchObject({ container: { provisioning: 'ready' } });
  });

  it('before it begins, has changed nothing', async () => {
    cancel.abort();
    expect(await world.callUntil(cancel.signal, 'create', { user: 'bob', keys: key })).toMatchObject(cancelled);
    expect(await world.call('info', { user: 'bob' })).toMatchObject({ ok: false, failure: { code: 'not-found' } });
  });

  it('tells the undo to nobody who has not cancelled, and undoes a failure as before', async () => {
    vi.spyOn(world.context.incus, 'start').mockRejectedValue(new Error('broken'));
    expect(await world.callUntil(cancel.signal, 'create', { user: 'bob', keys: key })).toMatchObject({
      ok: false,
      failure: { code: 'internal' },
    });
  });
});

describe('an image build that its caller cancels', () => {
  it.each(['create', 'start', 'exec', 'publish'] as const)('at "%s" leaves no build container', async (method) => {
    cancelAt(method);
    expect(await world.callUntil(cancel.signal, 'image build')).toMatchObject(
      method === 'publish' ? { ok: true } : cancelled,
    );
    expect(await world.context.incus.instances()).toEqual([]);
    expect((await world.must('image list')).images).toHaveLength(1);
  });

  it('is made by the next caller who waits for it', async () => {
    cancelAt('exec');
    const first = world.callUntil(cancel.signal, 'image build');
    const second = world.callUntil(new AbortController().signal, 'image build');
    expect(await first).toMatchObject(cancelled);
    expect(await second).toMatchObject({ ok: true, result: { image: { current: true } } });
  });

  it('is not waited for any longer by a caller who cancels, and ends for the one who began it', async () => {
    const waiting = new AbortController();
    const first = world.callUntil(cancel.signal, 'image build');
    const second = world.callUntil(waiting.signal, 'image build');
    setImmediate(() => waiting.abort());
    expect(await second).toMatchObject({ ok: false, failure: { code: 'cancelled' } });
    expect(await first).toMatchObject({ ok: true });
  });
});

describe('a verb that cannot be cancelled', () => {
  it('goes on', async () => {
    expect(await world.callUntil(cancel.signal, 'create', { user: 'bob', keys: key })).toMatchObject({ ok: true });
    cancel.abort();
    expect(await world.callUntil(cancel.signal, 'stop', { user: 'bob' })).toMatchObject({ ok: true });
  });
});

describe('a change of several containers', () => {
  it('begins none of the others once it is cancelled, and says so of each', async () => {
    const users = ['anna', 'berta', 'carla', 'dora', 'erna', 'frida'];
    for (const user of users) await world.must('create', { user, keys: newKey(user).line });
    const stop = world.context.incus.stop.bind(world.context.incus);
    vi.spyOn(world.context.incus, 'stop').mockImplementation((...args) => {
      cancel.abort();
      return stop(...args);
    });
    const outcome = await world.callUntil(cancel.signal, 'stop', { user: users });
    const { outcomes } = (outcome.ok ? outcome.result : expect.fail('it failed')) as {
      outcomes: { user: string; ok: boolean; error?: { code: string; why: string } }[];
    };
    // Four at a time have begun.
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(4);
    expect(outcomes.filter(({ ok }) => !ok).map(({ error }) => error)).toMatchObject([
      { code: 'cancelled', why: expect.stringMatching(/before it was its turn/) },
      { code: 'cancelled' },
    ]);
    const { containers } = await world.must('list');
    expect(containers.filter(({ status }: { status: string }) => status === 'stopped')).toHaveLength(4);
  });
});

describe('a deletion after a backup', () => {
  beforeEach(() => world.must('create', { user: 'bob', keys: key }));

  it('is cancelled while the backup is made or verified, and deletes nothing', async () => {
    cancelAt('start');
    const outcome = await world.callUntil(cancel.signal, 'delete', { user: 'bob', backup: true, confirm: 'bob' });
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'cancelled' } });
    expect(await world.must('info', { user: 'bob' })).toMatchObject({ container: { status: 'running' } });
  });

  it('goes to its end once it has begun', async () => {
    const { accounts } = world.context;
    const remove = accounts.remove.bind(accounts);
    vi.spyOn(accounts, 'remove').mockImplementation((name) => {
      cancel.abort();
      return remove(name);
    });
    expect(await world.callUntil(cancel.signal, 'delete', { user: 'bob', backup: true, confirm: 'bob' })).toMatchObject(
      { ok: true },
    );
    expect(await world.call('info', { user: 'bob' })).toMatchObject({ ok: false, failure: { code: 'not-found' } });
  });
});
