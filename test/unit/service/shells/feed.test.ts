import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import type { FeedUpdate } from '../../../../src/domain/events/notice.ts';
import type { IncusInstance } from '../../../../src/host/incus/documents.ts';
import { ContainerFeed, type LifecycleSource } from '../../../../src/service/shells/feed.ts';

function instance(user: string, status = 'Running', cpuNs = 0): IncusInstance {
  return {
    name: `${user}-container`,
    type: 'container',
    status,
    created_at: '',
    last_used_at: '',
    location: 'none',
    config: { 'user.containarium.owner': user },
    devices: {},
    state: { status, cpu: { usage: cpuNs }, memory: { usage: 100, total: 200 } },
  };
}

/** A host whose replies and events the test controls. */
class FakeHost implements LifecycleSource {
  instances: IncusInstance[] = [];
  lists = 0;
  failure: Failure | undefined;
  memoryFailure: Failure | undefined;
  listener: Parameters<LifecycleSource['events']>[0] | undefined;
  end: ((error?: Failure) => void) | undefined;

  memoryQueries = 0;
  memory: ReadonlyMap<string, number> = new Map();

  memoryInUse(): Promise<ReadonlyMap<string, number>> {
    this.memoryQueries++;
    return this.memoryFailure === undefined ? Promise.resolve(this.memory) : Promise.reject(this.memoryFailure);
  }

  instancesWithState(): Promise<IncusInstance[]> {
    this.lists++;
    return this.failure === undefined ? Promise.resolve(this.instances) : Promise.reject(this.failure);
  }

  events(listener: Parameters<LifecycleSource['events']>[0], signal: AbortSignal): Promise<void> {
    this.listener = listener;
    listener.opened();
    return new Promise((resolve, reject) => {
      this.end = (error) => (error === undefined ? resolve() : reject(error));
      signal.addEventListener('abort', () => resolve());
    });
  }
}

let host: FakeHost;
let feed: ContainerFeed;
let updates: FeedUpdate[];

beforeEach(() => {
  vi.useFakeTimers();
  host = new FakeHost();
  host.instances = [instance('alice'), instance('bob', 'Stopped')];
  feed = new ContainerFeed({ incus: host, source: host, measureEveryMs: 10_000 });
  updates = [];
});
afterEach(() => vi.useRealTimers());

const settle = (ms = 100): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('the container feed', () => {
  it('sends the whole list first, and makes no queries without subscribers', async () => {
    expect(host.lists).toBe(0);
    const end = feed.subscribe((update) => updates.push(update));
    await settle();
    expect(updates).toMatchObject([{ whole: true, stale: null, removed: [] }]);
    expect(updates[0]?.changed.map(({ user }) => user)).toEqual(['alice', 'bob']);
    end();
    const lists = host.lists;
    await settle(60_000);
    expect(host.lists).toBe(lists);
  });

  it('sends the changes after a burst of events once, and nothing if nothing changed', async () => {
    feed.subscribe((update) => updates.push(update));
    await settle();
    updates.length = 0;
    const lists = host.lists;
    host.instances = [instance('alice'), instance('bob'), instance('carol')];
    for (let i = 0; i < 5; i++) host.listener?.event({ action: 'instance-updated', instance: 'bob-container' });
    await settle();
    expect(host.lists - lists).toBe(1);
    expect(updates).toHaveLength(1);
    expect(updates[0]?.changed.map(({ user, status }) => `${user} ${status}`)).toEqual([
      'bob running',
      'carol running',
    ]);
    host.listener?.event({ action: 'instance-updated', instance: 'bob-container' });
    await settle();
    expect(updates).toHaveLength(1);
  });

  it('ignores the events that reading from a container causes', async () => {
    feed.subscribe((update) => updates.push(update));
    await settle();
    const lists = host.lists;
    for (const action of ['instance-exec', 'instance-console-retrieved'])
      host.listener?.event({ action, instance: 'alice-container' });
    await settle();
    expect(host.lists).toBe(lists);
  });

  it('reports containers that are gone', async () => {
    feed.subscribe((update) => updates.push(update));
    await settle();
    host.instances = [instance('alice')];
    host.listener?.event({ action: 'instance-updated', instance: 'bob-container' });
    await settle();
    expect(updates.at(-1)).toMatchObject({ whole: false, changed: [], removed: ['bob'] });
  });

  it('is stale, never empty, while the host does not answer, and recovers', async () => {
    feed.subscribe((update) => updates.push(update));
    await settle();
    host.failure = new Failure('incus-unavailable', { what: 'Incus', why: 'its server does not answer' });
    host.listener?.event({ action: 'instance-updated', instance: 'alice-container' });
    await settle();
    expect(updates.at(-1)).toMatchObject({ changed: [], removed: [], stale: 'Incus: its server does not answer' });
    host.failure = undefined;
    await settle(11_000);
    expect(updates.at(-1)?.stale).toBeNull();
  });

  it('excludes page cache from memory use, and queries it no more often than Incus measures', async () => {
    host.memory = new Map([['alice-container', 30]]);
    feed.subscribe((update) => updates.push(update));
    await settle();
    expect(updates[0]?.changed.map(({ user, memoryUsedBytes }) => [user, memoryUsedBytes])).toEqual([
      ['alice', 30],
      ['bob', null],
    ]);
    const [lists, asked] = [host.lists, host.memoryQueries];
    host.memory = new Map([['alice-container', 40]]);
    host.instances = [instance('alice'), instance('bob')];
    for (let i = 0; i < 5; i++) {
      host.listener?.event({ action: 'instance-updated', instance: 'bob-container' });
      await settle();
    }
    expect([host.lists - lists, host.memoryQueries - asked]).toEqual([5, 0]);
    // Bob's container has just started: Incus has not measured yet how much of its memory is cache.
    expect(updates.at(-1)?.changed).toMatchObject([{ user: 'bob', memoryUsedBytes: 100 }]);
    await settle(10_000);
    expect(host.memoryQueries - asked).toBe(1);
    expect(updates.at(-1)?.changed.find(({ user }) => user === 'alice')?.memoryUsedBytes).toBe(40);
  });

  it('is stale if the memory query fails', async () => {
    feed.subscribe((update) => updates.push(update));
    await settle();
    host.memoryFailure = new Failure('unexpected-output', { what: 'metrics', why: 'not whole' });
    await settle(10_000);
    expect(updates.at(-1)).toMatchObject({ changed: [], removed: [], stale: 'metrics: not whole' });
  });

  it('reopens a broken stream, and refreshes once it is open', async () => {
    feed.subscribe((update) => updates.push(update));
    await settle();
    const first = host.listener;
    host.end?.(new Failure('incus-unavailable', { what: 'Incus', why: 'the stream ended' }));
    host.instances = [instance('alice'), instance('bob')];
    await settle(3000);
    expect(host.listener).toBe(first);
    expect(updates.at(-1)?.changed.map(({ user, status }) => `${user} ${status}`)).toContain('bob running');
  });

  it('measures CPU use between two refreshes, and keeps the measurements', async () => {
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
