import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import type { FeedUpdate } from '../../../../src/domain/events/notice.ts';
import { InstanceMirror } from '../../../../src/host/mirror/mirror.ts';
import { ContainerFeed } from '../../../../src/service/shells/feed.ts';
import { InstanceSource, instanceOwnedBy as instance } from '../../../support/instanceSource.ts';

let host: InstanceSource;
let feed: ContainerFeed;
let updates: FeedUpdate[];

beforeEach(() => {
  vi.useFakeTimers();
  host = new InstanceSource();
  host.instances = [instance('alice'), instance('bob', 'Stopped')];
  feed = new ContainerFeed(new InstanceMirror({ incus: host.incus, source: host, pause: () => 10_000 }));
  updates = [];
});
afterEach(() => vi.useRealTimers());

const settle = (ms = 100): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('the container feed', () => {
  it('sends the whole list first, and makes no queries without subscribers', async () => {
    expect(host.asked).toEqual([]);
    const end = feed.subscribe((update) => updates.push(update));
    await settle();
    expect(updates).toMatchObject([{ whole: true, stale: null, removed: [] }]);
    expect(updates[0]?.changed.map(({ user }) => user)).toEqual(['alice', 'bob']);
    end();
    const asked = host.asked.length;
    await settle(60_000);
    expect(host.asked).toHaveLength(asked);
  });

  it('sends the whole list at once to a second subscriber', async () => {
    feed.subscribe(() => undefined);
    await settle();
    feed.subscribe((update) => updates.push(update));
    expect(updates).toMatchObject([{ whole: true, stale: null }]);
    expect(updates[0]?.changed.map(({ user }) => user)).toEqual(['alice', 'bob']);
  });

  it('sends the changes after a burst of events once, and nothing if nothing changed', async () => {
    feed.subscribe((update) => updates.push(update));
    await settle();
    updates.length = 0;
    host.asked.length = 0;
    host.instances = [instance('alice'), instance('bob'), instance('carol')];
    for (let i = 0; i < 5; i++) host.event('instance-updated', 'bob');
    host.event('instance-created', 'carol');
    await settle();
    // Only what has changed is asked for.
    expect(host.asked).toEqual(['bob-container', 'carol-container']);
    expect(updates.flatMap(({ changed }) => changed).map(({ user, status }) => `${user} ${status}`)).toEqual([
      'bob running',
      'carol running',
    ]);
    updates.length = 0;
    host.event('instance-updated', 'bob');
    await settle();
    expect(updates).toEqual([]);
  });

  it('counts a snapshot of an earlier generation to its container', async () => {
    const earlier = {
      ...instance('alice', 'Stopped'),
      name: 'alice-container-20261123-120000-abcd',
      config: { 'user.containarium.replaced': 'alice' },
      snapshots: [{ name: 's1', created_at: '2026-11-23T12:00:00Z' }],
    };
    host.instances = [...host.instances, earlier];
    feed.subscribe((update) => updates.push(update));
    await settle();
    expect(updates[0]?.changed.map(({ user, snapshots }) => [user, snapshots])).toEqual([
      ['alice', 1],
      ['bob', 0],
    ]);
    host.instances = host.instances.slice(0, 2);
    host.listener?.event({ action: 'instance-deleted', instance: earlier.name });
    await settle();
    expect(updates.at(-1)).toMatchObject({ changed: [{ user: 'alice', snapshots: 0 }], removed: [] });
  });

  it('reports containers that are gone', async () => {
    feed.subscribe((update) => updates.push(update));
    await settle();
    host.instances = [instance('alice')];
    host.event('instance-deleted', 'bob');
    await settle();
    expect(updates.at(-1)).toMatchObject({ whole: false, changed: [], removed: ['bob'] });
  });

  it('is stale, never empty, while the host does not answer, and recovers', async () => {
    feed.subscribe((update) => updates.push(update));
    await settle();
    host.failure = new Failure('incus-unavailable', { what: 'Incus', why: 'its server does not answer' });
    host.event('instance-updated', 'alice');
    await settle();
    expect(updates.at(-1)).toMatchObject({ changed: [], removed: [], stale: 'Incus: its server does not answer' });
    host.failure = undefined;
    await settle(11_000);
    expect(updates.at(-1)?.stale).toBeNull();
  });

  it('says why there is no list yet', async () => {
    host.failure = new Failure('incus-unavailable', { what: 'Incus', why: 'its server does not answer' });
    feed.subscribe((update) => updates.push(update));
    await settle();
    expect(updates).toMatchObject([{ whole: false, changed: [], stale: 'Incus: its server does not answer' }]);
    host.failure = undefined;
    await settle(11_000);
    expect(updates.at(-1)).toMatchObject({ whole: true, stale: null });
  });

  it('excludes page cache from memory use, as far as Incus has measured it', async () => {
    host.memory = new Map([['alice-container', 30]]);
    feed.subscribe((update) => updates.push(update));
    await settle();
    expect(updates[0]?.changed.map(({ user, memoryUsedBytes }) => [user, memoryUsedBytes])).toEqual([
      ['alice', 30],
      ['bob', null],
    ]);
    host.memory = new Map([['alice-container', 40]]);
    host.instances = [instance('alice'), instance('bob')];
    host.event('instance-started', 'bob');
    await settle();
    // Incus has not measured yet how much of the memory of Bob's container is cache.
    expect(updates.at(-1)?.changed).toMatchObject([{ user: 'bob', memoryUsedBytes: 100 }]);
    await settle(10_000);
    expect(updates.at(-1)?.changed.find(({ user }) => user === 'alice')?.memoryUsedBytes).toBe(40);
  });

  it('is stale if the memory query fails', async () => {
    feed.subscribe((update) => updates.push(update));
    await settle();
    host.memoryFailure = new Failure('unexpected-output', { what: 'metrics', why: 'not whole' });
    await settle(10_000);
    expect(updates.at(-1)).toMatchObject({ changed: [], removed: [], stale: 'metrics: not whole' });
  });

  it('measures CPU use between two measurements, and keeps them', async () => {
    host.instances = [instance('alice', 'Running', 0)];
    const end = feed.subscribe((update) => updates.push(update));
    await settle();
    host.instances = [instance('alice', 'Running', 5_000_000_000)];
    await settle(10_000);
    // Five seconds of CPU in about ten.
    expect(feed.samples('alice')).toHaveLength(1);
    expect(feed.samples('alice')[0]?.cpuPercent).toBeGreaterThan(49);
    expect(feed.samples('alice')[0]?.cpuPercent).toBeLessThan(51);
    end();
  });
});
