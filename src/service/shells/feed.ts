/**
 * The live list of containers. The feed follows Incus's event stream, lists the instances again after each event, and
 * sends subscribers the differences. CPU, memory and disk use have no events, so they are measured at intervals.
 * Without subscribers nothing runs.
 */
import type { Container } from '../../domain/results/container.ts';
import { Failure } from '../../domain/failure.ts';
import type { FeedContainer, FeedUpdate } from '../../domain/events/notice.ts';
import { metricsAgeMs, type Incus } from '../../host/incus/incus.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { MemoryInUse } from '../../host/incus/memoryMetrics.ts';
import { toContainer } from '../instances/containers.ts';
import { ownerOfInstance } from '../instances/metadata.ts';
import { withGenerations } from '../snapshots/generations.ts';

/** A source of instance changes: the stream of lifecycle events of Incus or of the simulated host. */
export interface LifecycleSource {
  events(
    listener: { opened(): void; event(event: { readonly action: string; readonly instance: string | null }): void },
    signal: AbortSignal,
  ): Promise<void>;
}

export interface FeedOptions {
  readonly incus: Pick<Incus, 'instancesWithState' | 'memoryInUse'>;
  readonly source: LifecycleSource;
  /** Interval between two measurements of use, in milliseconds. */
  readonly measureEveryMs?: number;
}

/** Delay between the first event of a burst and the refresh, in milliseconds: a start alone is five events. */
const refreshDelayMs = 60;
/** Delay before a broken stream is opened again, in milliseconds. */
const reopenMs = 2000;
/**
 * Events that change nothing that is shown. Reading from a container causes them: a followed log would otherwise force
 * a refresh every second.
 */
const ignoredActions = new Set([
  'instance-exec',
  'instance-console',
  'instance-console-retrieved',
  'instance-file-retrieved',
  'instance-file-pushed',
  'instance-file-deleted',
]);
/** Maximum number of measurements kept for each container. */
const maxSamples = 40;

/** One measurement of one container. */
export interface Sample {
  readonly atMs: number;
  readonly cpuPercent: number | null;
  readonly memoryBytes: number | null;
}

type Listener = (update: FeedUpdate) => void;

export class ContainerFeed {
  readonly #options: Required<FeedOptions>;
  readonly #listeners = new Set<Listener>();
  readonly #containers = new Map<string, FeedContainer>();
  readonly #cpu = new Map<string, { atMs: number; usedNs: number }>();
  readonly #samples = new Map<string, Sample[]>();
  #memory: { readonly atMs: number; readonly inUse: MemoryInUse } | undefined;
  #running: AbortController | undefined;
  #refreshing: Promise<void> | undefined;
  #refreshAgain = false;
  #refreshTimer: NodeJS.Timeout | undefined;
  #known = false;
  #measuredAt: string | null = null;
  #stale: string | null = null;

  constructor(options: FeedOptions) {
    this.#options = { measureEveryMs: 15_000, ...options };
  }

  /** Returns the measurements of a user's container, oldest first; empty if the feed had no subscribers for a while. */
  samples(user: string): readonly Sample[] {
    return this.#samples.get(user) ?? [];
  }

  /** Sends `listener` the whole list at once, then the changes. Returns a function that ends the subscription. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#known) listener(this.#whole());
    if (this.#running === undefined) this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  #whole(): FeedUpdate {
    return {
      whole: true,
      changed: [...this.#containers.values()],
      removed: [],
      measuredAt: this.#measuredAt,
      stale: this.#stale,
    };
  }

  #start(): void {
    const running = new AbortController();
    this.#running = running;
    void this.#follow(running.signal);
    void this.#measure(running.signal);
  }

  #stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    clearTimeout(this.#refreshTimer);
    this.#refreshTimer = undefined;
    // The next subscriber must not be shown the state from when the last one left.
    this.#known = false;
    this.#memory = undefined;
    this.#containers.clear();
  }

  readonly #listener = {
    // A refresh after the stream opens finds whatever happened before.
    opened: (): void => void this.#refresh(),
    event: ({ action, instance }: { readonly action: string; readonly instance: string | null }): void => {
      if (instance !== null && !ignoredActions.has(action)) this.#refreshSoon();
    },
  };

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#options.source.events(this.#listener, signal);
      } catch (error) {
        this.#becomeStale(Failure.from(error));
      }
      await pause(reopenMs, signal);
    }
  }

  /** Measures use at intervals, and notices a host that is back. */
  async #measure(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#refresh();
      await pause(this.#options.measureEveryMs, signal);
    }
  }

  #refreshSoon(): void {
    this.#refreshTimer ??= setTimeout(() => {
      this.#refreshTimer = undefined;
      void this.#refresh();
    }, refreshDelayMs);
  }

  /** Runs one refresh at a time. An event that arrives during a refresh causes another. */
  #refresh(): Promise<void> {
    if (this.#refreshing !== undefined) {
      this.#refreshAgain = true;
      return this.#refreshing;
    }
    this.#refreshing = this.#refreshOnce().finally(() => {
      this.#refreshing = undefined;
      if (!this.#refreshAgain) return;
      this.#refreshAgain = false;
      this.#refreshSoon();
    });
    return this.#refreshing;
  }

  async #refreshOnce(): Promise<void> {
    const signal = this.#running?.signal;
    if (signal === undefined) return;
    let found: { readonly container: Container; readonly instance: IncusInstance }[];
    try {
      const [instances, inUse] = await Promise.all([
        this.#options.incus.instancesWithState(signal),
        this.#memoryInUse(signal),
      ]);
      found = instances
        .filter((instance) => ownerOfInstance(instance) !== undefined)
        .map((instance) => ({ container: toContainer(withGenerations(instance, instances), inUse), instance }));
    } catch (error) {
      if (!signal.aborted) this.#becomeStale(Failure.from(error));
      return;
    }
    // Aborted meanwhile: this result belongs to a subscription that has ended.
    if (this.#running?.signal !== signal) return;
    const seen = new Set<string>();
    const changed: FeedContainer[] = [];
    for (const { instance, container: converted } of found) {
      const container = this.#measured(converted, instance);
      seen.add(container.user);
      if (JSON.stringify(this.#containers.get(container.user)) !== JSON.stringify(container)) changed.push(container);
      this.#containers.set(container.user, container);
    }
    const removed = [...this.#containers.keys()].filter((user) => !seen.has(user));
    for (const user of removed) {
      this.#containers.delete(user);
      this.#samples.delete(user);
      this.#cpu.delete(user);
    }
    const first = !this.#known;
    const wasStale = this.#stale !== null;
    this.#known = true;
    this.#stale = null;
    this.#measuredAt = new Date().toISOString();
    if (first) this.#publish(this.#whole());
    else if (changed.length > 0 || removed.length > 0 || wasStale)
      this.#publish({ whole: false, changed, removed, measuredAt: this.#measuredAt, stale: null });
  }

  /**
   * Returns the memory in use, cached for as long as Incus caches it: each query runs a program and, on a large host,
   * returns a long text.
   */
  async #memoryInUse(signal: AbortSignal): Promise<MemoryInUse> {
    const atMs = performance.now();
    if (this.#memory !== undefined && atMs - this.#memory.atMs < metricsAgeMs) return this.#memory.inUse;
    const inUse = await this.#options.incus.memoryInUse(signal);
    this.#memory = { atMs, inUse };
    return inUse;
  }

  #measured(container: Container, instance: IncusInstance): FeedContainer {
    const atMs = performance.now();
    const usedNs = container.status === 'running' ? instance.state?.cpu?.usage : undefined;
    const before = this.#cpu.get(container.user);
    let cpuPercent = this.#containers.get(container.user)?.cpuPercent ?? null;
    // Two refreshes less than a second apart measure only noise.
    if (usedNs === undefined) {
      cpuPercent = null;
      this.#cpu.delete(container.user);
    } else if (before === undefined || usedNs < before.usedNs) {
      cpuPercent = null;
      this.#cpu.set(container.user, { atMs, usedNs });
    } else if (atMs - before.atMs >= 1000) {
      cpuPercent = Math.round(((usedNs - before.usedNs) / ((atMs - before.atMs) * 1e6)) * 1000) / 10;
      this.#cpu.set(container.user, { atMs, usedNs });
      const samples = [...this.samples(container.user), { atMs, cpuPercent, memoryBytes: container.memoryUsedBytes }];
      this.#samples.set(container.user, samples.slice(-maxSamples));
    }
    return { ...container, cpuPercent };
  }

  #becomeStale(failure: Failure): void {
    // A stream that ends because the last subscriber left is no failure.
    if (this.#running === undefined) return;
    const why = `${failure.what}: ${failure.why}`;
    if (this.#stale === why) return;
    this.#stale = why;
    this.#publish({ whole: false, changed: [], removed: [], measuredAt: this.#measuredAt, stale: why });
  }

  #publish(update: FeedUpdate): void {
    for (const listener of this.#listeners) listener(update);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
