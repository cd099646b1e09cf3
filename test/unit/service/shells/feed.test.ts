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

/** A host whose answers and events a test gives. */
class FakeHost implements LifecycleSource {
  instances: IncusInstance[] = [];
  looks = 0;
  broken: Failure | undefined;
  memoryBroken: Failure | undefined;
  listener: Parameters<LifecycleSource['events']>[0] | undefined;
  end: ((error?: Failure) => void) | undefined;

  memoryAsked = 0;
  memory: ReadonlyMap<string, number> = new Map();

  memoryInUse(): Promise<ReadonlyMap<string, number>> {
    this.memoryAsked++;
    return this.memoryBroken === undefined ? Promise.resolve(this.memory) : Promise.reject(this.memoryBroken);
  }

  instancesWithState(): Promise<IncusInstance[]> {
    this.looks++;
    return this.broken === undefined ? Promise.resolve(this.instances) : Promise.reject(this.broken);
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
let told: FeedUpdate[];

beforeEach(() => {
  vi.useFakeTimers();
  host = new FakeHost();
  host.instances = [instance('alice'), instance('bob', 'Stopped')];
  feed = new ContainerFeed({ incus: host, source: host, measureEveryMs: 10_000 });
  told = [];
});
afterEach(() => vi.useRealTimers());

const settle = (ms = 100): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('the live list', () => {
  it('begins with everything, and asks nothing while nobody looks', async () => {
    expect(host.looks).toBe(0);
    const end = feed.subscribe((update) => told.push(update));
    await settle();
    expect(told).toMatchObject([{ whole: true, stale: null, removed: [] }]);
    expect(told[0]?.changed.map(({ user }) => user)).toEqual(['alice', 'bob']);
    end();
    const looks = host.looks;
    await settle(60_000);
    expect(host.looks).toBe(looks);
  });

  it('tells what an event is about, once for a burst, and nothing where nothing is different', async () => {
    feed.subscribe((update) => told.push(update));
    await settle();
    told.length = 0;
    const looks = host.looks;
    host.instances = [instance('alice'), instance('bob'), instance('carol')];
    for (let i = 0; i < 5; i++) host.listener?.event({ action: 'instance-updated', instance: 'bob-container' });
    await settle();
    expect(host.looks - looks).toBe(1);
    expect(told).toHaveLength(1);
    expect(told[0]?.changed.map(({ user, status }) => `${user} ${status}`)).toEqual(['bob running', 'carol running']);
    host.listener?.event({ action: 'instance-updated', instance: 'bob-container' });
    await settle();
    expect(told).toHaveLength(1);
  });

  it('does not look again because somebody looked into a container', async () => {
    feed.subscribe((update) => told.push(update));
    await settle();
    const looks = host.looks;
    for (const action of ['instance-exec', 'instance-console-retrieved'])
      host.listener?.event({ action, instance: 'alice-container' });
    await settle();
    expect(host.looks).toBe(looks);
  });

  it('tells what is gone', async () => {
    feed.subscribe((update) => told.push(update));
    await settle();
    host.instances = [instance('alice')];
    host.listener?.event({ action: 'instance-updated', instance: 'bob-container' });
    await settle();
    expect(told.at(-1)).toMatchObject({ whole: false, changed: [], removed: ['bob'] });
  });

  it('a host that does not answer is stale, never empty; and it comes back', async () => {
    feed.subscribe((update) => told.push(update));
    await settle();
    host.broken = new Failure('incus-unavailable', { what: 'Incus', why: 'its server does not answer' });
    host.listener?.event({ action: 'instance-updated', instance: 'alice-container' });
    await settle();
    expect(told.at(-1)).toMatchObject({ changed: [], removed: [], stale: 'Incus: its server does not answer' });
    host.broken = undefined;
    await settle(11_000);
    expect(told.at(-1)?.stale).toBeNull();
  });

  it('does not count page cache as memory used, and asks for it no more often than Incus measures', async () => {
    host.memory = new Map([['alice-container', 30]]);
    feed.subscribe((update) => told.push(update));
    await settle();
    expect(told[0]?.changed.map(({ user, memoryUsedBytes }) => [user, memoryUsedBytes])).toEqual([
      ['alice', 30],
      ['bob', null],
    ]);
    const [looks, asked] = [host.looks, host.memoryAsked];
    host.memory = new Map([['alice-container', 40]]);
    host.instances = [instance('alice'), instance('bob')];
    for (let i = 0; i < 5; i++) {
      host.listener?.event({ action: 'instance-updated', instance: 'bob-container' });
      await settle();
    }
    expect([host.looks - looks, host.memoryAsked - asked]).toEqual([5, 0]);
    // Bob has just started: nobody has measured yet how much of what he is charged for is cache.
    expect(told.at(-1)?.changed).toMatchObject([{ user: 'bob', memoryUsedBytes: 100 }]);
    await settle(10_000);
    expect(host.memoryAsked - asked).toBe(1);
    expect(told.at(-1)?.changed.find(({ user }) => user === 'alice')?.memoryUsedBytes).toBe(40);
  });

  it('is stale where memory cannot be asked for', async () => {
    feed.subscribe((update) => told.push(update));
    await settle();
    host.memoryBroken = new Failure('unexpected-output', { what: 'metrics', why: 'not whole' });
    await settle(10_000);
    expect(told.at(-1)).toMatchObject({ changed: [], removed: [], stale: 'metrics: not whole' });
  });

  it('opens a broken stream again, and looks after it is open', async () => {
    feed.subscribe((update) => told.push(update));
    await settle();
    const first = host.listener;
    host.end?.(new Failure('incus-unavailable', { what: 'Incus', why: 'the stream ended' }));
    host.instances = [instance('alice'), instance('bob')];
    await settle(3000);
    expect(host.listener).toBe(first);
    expect(told.at(-1)?.changed.map(({ user, status }) => `${user} ${status}`)).toContain('bob running');
  });

  it('measures CPU between two looks, and keeps what it measured', async () => {
    vi.useRealTimers();
    const quick = new ContainerFeed({ incus: host, source: host, measureEveryMs: 1100 });
    host.instances = [instance('alice', 'Running', 0)];
    const end = quick.subscribe((update) => told.push(update));
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(0));
    host.instances = [instance('alice', 'Running', 550_000_000)];
    await vi.waitFor(() => expect(quick.samples('alice').length).toBe(1), { timeout: 5000 });
    // Half a second of CPU in about one second.
    expect(quick.samples('alice')[0]?.cpuPercent).toBeGreaterThan(20);
    expect(quick.samples('alice')[0]?.cpuPercent).toBeLessThan(60);
    end();
  });
});
