/**
 * The live list of containers: follows Incus's own event stream, looks at what the events name, and tells its
 * subscribers what is different. Use of CPU, memory and disk has no events, so it is measured at intervals. Nothing
 * runs while nobody looks.
 */
import type { Container } from '../../domain/results/container.ts';
import { Failure } from '../../domain/failure.ts';
import type { FeedContainer, FeedUpdate } from '../../domain/events/notice.ts';
import { metricsAgeMs, type Incus } from '../../host/incus/incus.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { MemoryInUse } from '../../host/incus/memoryMetrics.ts';
import { toContainer } from '../instances/containers.ts';
import { ownerOfInstance } from '../instances/metadata.ts';

/** Where changes of instances are told: Incus's stream of lifecycle events, or the simulated host's. */
export interface LifecycleSource {
  events(
    listener: { opened(): void; event(event: { readonly action: string; readonly instance: string | null }): void },
    signal: AbortSignal,
  ): Promise<void>;
}

export interface FeedOptions {
  readonly incus: Pick<Incus, 'instancesWithState' | 'memoryInUse'>;
  readonly source: LifecycleSource;
  /** Between two measurements of use, in milliseconds. */
  readonly measureEveryMs?: number;
}

/**
 * Events come in bursts (a start is five): what they name is looked at once, this long after the first, in
 * milliseconds.
 */
const gatherMs = 60;
/** Before a broken stream is opened again, in milliseconds. */
const reopenMs = 2000;
/**
 * Events that change nothing that is shown. Looking into a container causes them, so that a log that is followed would
 * make a look a second.
 */
const idle = new Set([
  'instance-exec',
  'instance-console',
  'instance-console-retrieved',
  'instance-file-retrieved',
  'instance-file-pushed',
  'instance-file-deleted',
]);
/** Measurements kept of each container. */
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
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #gather: NodeJS.Timeout | undefined;
  #known = false;
  #measuredAt: string | null = null;
  #stale: string | null = null;

  constructor(options: FeedOptions) {
    this.#options = { measureEveryMs: 15_000, ...options };
  }

  /** Measurements of a user's container, oldest first; empty where nobody has looked for a while. */
  samples(user: string): readonly Sample[] {
    return this.#samples.get(user) ?? [];
  }

  /** Tells `listener` everything that is known at once, and then what changes. Returns how to end it. */
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
    clearTimeout(this.#gather);
    this.#gather = undefined;
    // What is shown to the next subscriber must not be what was true when the last one left.
    this.#known = false;
    this.#memory = undefined;
    this.#containers.clear();
  }

  readonly #listener = {
    // Whatever happened before the stream was open is found by looking after it is.
    opened: (): void => void this.#look(),
    event: ({ action, instance }: { readonly action: string; readonly instance: string | null }): void => {
      if (instance !== null && !idle.has(action)) this.#lookSoon();
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

  /** Looks again and again for figures of use, and notices a host that is back. */
  async #measure(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look();
      await pause(this.#options.measureEveryMs, signal);
    }
  }

  #lookSoon(): void {
    this.#gather ??= setTimeout(() => {
      this.#gather = undefined;
      void this.#look();
    }, gatherMs);
  }

  /** One look at a time; an event that comes while one is under way makes another. */
  #look(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return this.#looking;
    }
    this.#looking = this.#lookOnce().finally(() => {
      this.#looking = undefined;
      if (!this.#lookAgain) return;
      this.#lookAgain = false;
      this.#lookSoon();
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const signal = this.#running?.signal;
    if (signal === undefined) return;
    let instances: IncusInstance[];
    let inUse: MemoryInUse;
    try {
      [instances, inUse] = await Promise.all([
        this.#options.incus.instancesWithState(signal),
        this.#memoryInUse(signal),
      ]);
    } catch (error) {
      if (!signal.aborted) this.#becomeStale(Failure.from(error));
      return;
    }
    // Aborted meanwhile: what comes now belongs to a subscription that is over.
    if (this.#running?.signal !== signal) return;
    const seen = new Set<string>();
    const changed: FeedContainer[] = [];
    for (const instance of instances) {
      if (ownerOfInstance(instance) === undefined) continue;
      const container = this.#measured(toContainer(instance, inUse), instance);
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
    if (first) this.#tell(this.#whole());
    else if (changed.length > 0 || removed.length > 0 || wasStale)
      this.#tell({ whole: false, changed, removed, measuredAt: this.#measuredAt, stale: null });
  }

  /**
   * What Incus would answer for a while is not asked for again at each event: it costs a program and, on a large host,
   * a long text.
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
    // Two looks right behind each other measure nothing but noise.
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
    // A stream that ends because nobody looks any more is no news.
    if (this.#running === undefined) return;
    const why = `${failure.what}: ${failure.why}`;
    if (this.#stale === why) return;
    this.#stale = why;
    this.#tell({ whole: false, changed: [], removed: [], measuredAt: this.#measuredAt, stale: why });
  }

  #tell(update: FeedUpdate): void {
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
