import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import { InstanceMirror, type Follower } from '../../../../src/host/mirror/mirror.ts';
import { InstanceSource, instanceOwnedBy as instance } from '../../../support/instanceSource.ts';

let host: InstanceSource;
let mirror: InstanceMirror;
const follower: Follower = { watches: false, updated: () => undefined };
const unavailable = new Failure('incus-unavailable', { what: 'Incus', why: 'its server does not answer' });
const pauses = { watched: 15_000, unwatched: 60_000 };

beforeEach(() => {
  vi.useFakeTimers();
  host = new InstanceSource();
  host.instances = [instance('alice'), instance('bob', 'Stopped')];
  mirror = new InstanceMirror({
    incus: host.incus,
    source: host,
    pause: (_, isWatched) => (isWatched ? pauses.watched : pauses.unwatched),
  });
});
afterEach(() => vi.useRealTimers());

const settle = (ms = 100): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** Follows until everything was read, and forgets the questions. */
async function followed(): Promise<void> {
  mirror.follow(follower);
  await settle();
  host.asked.length = 0;
}

const shown = async (): Promise<string[]> =>
  (await mirror.read()).instances.map(({ name, status }) => `${name.replace('-container', '')} ${status}`);

describe('the mirror of Incus', () => {
  it('asks Incus while nobody follows it', async () => {
    expect(await shown()).toEqual(['alice Running', 'bob Stopped']);
    expect(host.asked).toEqual(['all', 'memory']);
    expect(await mirror.instances()).toHaveLength(2);
    expect(host.asked).toEqual(['all', 'memory', 'stored']);
    host.failure = unavailable;
    await expect(mirror.read()).rejects.toThrow(unavailable);
  });

  it('reads everything once, and answers without asking', async () => {
    mirror.follow(follower);
    await settle();
    expect(host.asked).toEqual(['all', 'memory']);
    expect(await shown()).toEqual(['alice Running', 'bob Stopped']);
    expect(await mirror.instances()).toHaveLength(2);
    expect(host.asked).toEqual(['all', 'memory']);
  });

  it('reads again only what an event names, also for a reader who comes first', async () => {
    await followed();
    host.instances = [instance('alice'), instance('bob')];
    host.event('instance-started', 'bob');
    expect(await shown()).toEqual(['alice Running', 'bob Running']);
    expect(host.asked).toEqual(['bob-container']);
    await settle();
    expect(host.asked).toEqual(['bob-container']);
    host.instances = [instance('alice')];
    host.event('instance-deleted', 'bob');
    await settle();
    expect(host.asked).toEqual(['bob-container', 'bob-container']);
    expect(await shown()).toEqual(['alice Running']);
  });

  it('shows a change of its own server to the next reader, without an event', async () => {
    await followed();
    host.instances = [instance('alice'), instance('bob'), instance('carol')];
    host.ownChange(['bob-container', 'carol-container']);
    expect(await shown()).toEqual(['alice Running', 'bob Running', 'carol Running']);
    expect(host.asked).toEqual(['bob-container', 'carol-container']);
  });

  it('does not take an answer that is older than the change', async () => {
    await followed();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    host.delay = promise;
    host.event('instance-updated', 'bob');
    await settle();
    // The read under way has the state of before.
    host.instances = [instance('alice'), instance('bob')];
    host.ownChange(['bob-container']);
    host.delay = Promise.resolve();
    expect(await Promise.all([shown(), settle().then(() => resolve(undefined))])).toMatchObject([
      ['alice Running', 'bob Running'],
      undefined,
    ]);
    await settle();
    expect(await shown()).toEqual(['alice Running', 'bob Running']);
  });

  it('does not let a long answer about all replace a newer one about one', async () => {
    await followed();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    host.delay = promise;
    await settle(pauses.unwatched);
    expect(host.asked).toEqual(['all', 'memory']);
    host.delay = Promise.resolve();
    host.instances = [instance('alice')];
    host.ownChange(['bob-container']);
    expect(await shown()).toEqual(['alice Running']);
    resolve(undefined);
    await settle();
    expect(await shown()).toEqual(['alice Running']);
  });

  it('reads nothing for what only looks into a container', async () => {
    await followed();
    for (const action of ['instance-exec', 'instance-console-retrieved', 'instance-file-pushed'])
      host.event(action, 'alice');
    await settle();
    expect(host.asked).toEqual([]);
  });

  it('reads everything after a change that names not all instances', async () => {
    await followed();
    host.listener?.event({ action: 'profile-updated', instance: null });
    await settle();
    expect(host.asked).toEqual(['all', 'memory']);
    host.asked.length = 0;
    host.event('instance-renamed', 'carol');
    await settle();
    expect(host.asked).toContain('all');
  });

  it('measures at its pace, and more often while somebody watches or reads', async () => {
    await followed();
    await settle(pauses.unwatched);
    expect(host.times('all')).toBe(1);
    const end = mirror.follow({ watches: true, updated: () => undefined });
    await settle(pauses.watched * 2);
    expect(host.times('all')).toBe(3);
    end();
    await settle(pauses.watched);
    host.asked.length = 0;
    await settle(pauses.watched + 1000);
    await mirror.read();
    await settle();
    expect(host.times('all')).toBe(1);
    // What is read meanwhile is not asked for.
    await mirror.read();
    await settle();
    expect(host.times('all')).toBe(1);
  });

  it('says when it measured', async () => {
    const at = new Date();
    await followed();
    await settle(10_000);
    expect((await mirror.read()).measuredAt.getTime() - at.getTime()).toBeLessThan(200);
  });

  it('forgets the memory in use of a container that has started anew', async () => {
    const running = (startedAt: string): typeof host.instances => [
      { ...instance('alice'), state: { status: 'Running', started_at: startedAt } },
    ];
    host.instances = running('2026-11-23T12:00:00Z');
    host.memory = new Map([['alice-container', 30]]);
    await followed();
    host.event('instance-updated', 'alice');
    await settle();
    expect((await mirror.read()).memoryInUse.get('alice-container')).toBe(30);
    host.instances = running('2026-11-23T13:00:00Z');
    host.event('instance-restarted', 'alice');
    await settle();
    expect((await mirror.read()).memoryInUse.has('alice-container')).toBe(false);
  });

  it('keeps only the first addresses of the interface that is shown', async () => {
    const address = (at: number) => ({ family: 'inet', address: `10.0.0.${at}`, scope: 'global' });
    const network = { addresses: Array.from({ length: 100 }, (_, at) => address(at)), hwaddr: '' };
    const state = { status: 'Running', network: { eth0: network, docker0: network } };
    host.instances = [{ ...instance('alice'), state }];
    await followed();
    const [alice] = (await mirror.read()).instances;
    expect(Object.keys(alice?.state?.network ?? {})).toEqual(['eth0']);
    expect(alice?.state?.network?.['eth0']?.addresses).toHaveLength(8);
  });
});

describe('the mirror of an Incus that fails', () => {
  it('has readers ask Incus, which fails, and is true again after it answers', async () => {
    await followed();
    host.failure = unavailable;
    host.event('instance-updated', 'bob');
    await expect(mirror.read()).rejects.toThrow(unavailable);
    expect(mirror.trouble).toBe('Incus: its server does not answer');
    host.failure = undefined;
    expect(await shown()).toEqual(['alice Running', 'bob Stopped']);
    await settle(11_000);
    expect(mirror.trouble).toBeNull();
    host.asked.length = 0;
    await mirror.read();
    expect(host.asked).toEqual([]);
  });

  it('has readers ask Incus without its event stream, and reads everything when it is open again', async () => {
    await followed();
    host.endStream?.(new Failure('incus-unavailable', { what: 'Incus', why: 'its event stream ended' }));
    await settle();
    expect(mirror.trouble).toBe('Incus: its event stream ended');
    host.asked.length = 0;
    host.instances = [instance('alice'), instance('bob')];
    expect(await shown()).toEqual(['alice Running', 'bob Running']);
    expect(host.asked).toContain('all');
    await settle(3000);
    expect(mirror.trouble).toBeNull();
    host.asked.length = 0;
    expect(await shown()).toEqual(['alice Running', 'bob Running']);
    expect(host.asked).toEqual([]);
  });

  it('asks Incus while its event stream does not open', async () => {
    host.opening = new Promise(() => undefined);
    mirror.follow(follower);
    await settle(5000);
    host.instances = [instance('alice')];
    expect(await shown()).toEqual(['alice Running']);
  });

  it('leaves a reader who does not wait', async () => {
    await followed();
    host.delay = new Promise(() => undefined);
    host.event('instance-updated', 'bob');
    const leaving = new AbortController();
    const read = mirror.read(leaving.signal);
    await settle();
    host.delay = Promise.resolve();
    leaving.abort();
    // What Incus itself makes of an aborted signal is what the reader gets.
    expect((await read).instances).toHaveLength(2);
    expect(host.times('all')).toBe(1);
  });

  it('takes no answer that comes after its last follower has left', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    host.delay = promise;
    const end = mirror.follow(follower);
    await settle();
    end();
    resolve(undefined);
    await settle();
    expect(mirror.present).toBeUndefined();
    expect(mirror.isFollowed).toBe(false);
  });
});
