/**
 * The instances of Incus in memory, for what only shows them. The event stream says which instance has changed, and
 * that one is read again, so a change costs the same at any number of containers. CPU, memory and disk use have no
 * events: they are measured for all at intervals, which also finds what a stream has missed. What decides a change asks
 * Incus itself.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Failure } from '../../domain/failure.ts';
import type { IncusInstance } from '../incus/documents.ts';
import type { Incus } from '../incus/incus.ts';
import type { MemoryInUse } from '../incus/memoryMetrics.ts';
import type { EventListener } from '../incus/streams.ts';
import { compact } from './compact.ts';
import { measuringPause } from './pace.ts';
import { ReadInstances, type InstanceChange } from './readInstances.ts';

/** A source of instance changes: the stream of lifecycle events of Incus or of the simulated host. */
export interface LifecycleSource {
  events(
    listener: Pick<EventListener, 'opened'> & {
      event(event: { readonly action: string; readonly instance: string | null }): void;
    },
    signal: AbortSignal,
  ): Promise<void>;
}

export interface MirrorOptions {
  readonly incus: Pick<Incus, 'instances' | 'instancesWithState' | 'instance' | 'memoryInUse' | 'onChange'>;
  readonly source: LifecycleSource;
  /** Returns the pause after a measurement, in milliseconds. Default: {@link measuringPause}. */
  readonly pause?: (costMs: number, isWatched: boolean) => number;
}

/** What a list is made of. */
export interface ShownInstances {
  readonly instances: readonly IncusInstance[];
  readonly memoryInUse: MemoryInUse;
  /** When the use of all instances was measured. */
  readonly measuredAt: Date;
}

export interface Follower {
  /** Whether it shows the figures to a person: they are then measured more often. */
  readonly watches: boolean;
  /** Called with what an answer of Incus has changed, or only with how the mirror is. */
  updated(changes: readonly InstanceChange[]): void;
}

/** Delay between the first event of a burst and the read, in milliseconds: a start alone is five events. */
const rereadDelayMs = 60;
/** Delay before a broken stream is opened again, in milliseconds. */
const reopenMs = 2000;
/** Pause after a read that failed, in milliseconds. */
const retryMs = 10_000;
/** How long the first read waits for the stream, in milliseconds: read before, it would have to be read again. */
const streamFirstMs = 1000;
/**
 * Events that change nothing that is shown. Reading from a container causes them: a followed log would otherwise force
 * a read every second.
 */
const ignoredActions = new Set([
  'instance-exec',
  'instance-console',
  'instance-console-retrieved',
  'instance-file-retrieved',
  'instance-file-pushed',
  'instance-file-deleted',
]);

interface Reread {
  /** The change that it includes. */
  readonly covers: number;
  readonly done: Promise<void>;
}

export class InstanceMirror {
  readonly #options: Required<MirrorOptions>;
  /** Reads of the mirror belong to no call: no call's end stops them, and they wait for nobody's turn. */
  readonly #outside = AsyncLocalStorage.snapshot();
  readonly #followers = new Set<Follower>();
  #known = new ReadInstances();
  #memory: Map<string, number> = new Map();
  /** The last time that everything was read; undefined if that is not since the stream opened. */
  #measured: { readonly at: Date; readonly costMs: number } | undefined;
  /** When reading everything ended last, also if that failed. */
  #triedMs = -Infinity;
  #wake = new AbortController();
  /** The instances that changed after they were read, with the number of the change. */
  readonly #behind = new Map<string, number>();
  #changes = 0;
  readonly #rereads = new Map<string, Reread>();
  #rereadTimer: NodeJS.Timeout | undefined;
  #running: AbortController | undefined;
  #isOpen = false;
  #measuring: Promise<void> | undefined;
  #measureAgain = false;
  #trouble: string | null = null;

  constructor(options: MirrorOptions) {
    this.#options = { pause: measuringPause, ...options };
    options.incus.onChange((names) => this.#outside(() => this.#changed(names)));
  }

  /** Keeps the mirror true until the returned function is called. Without followers nothing runs. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    if (this.#running === undefined) this.#outside(() => this.#start());
    // The pause is shorter now.
    else if (follower.watches) this.#wakeUp();
    return () => {
      this.#followers.delete(follower);
      if (this.#followers.size === 0) this.#stop();
    };
  }

  /** Returns what is known now, without asking; undefined before the first answer. */
  get present(): ShownInstances | undefined {
    const measured = this.#measured;
    if (measured === undefined) return undefined;
    return { instances: this.#known.all, memoryInUse: this.#memory, measuredAt: measured.at };
  }

  /** Why the mirror is not true at present; null if it is, or if nobody follows it. */
  get trouble(): string | null {
    return this.#trouble;
  }

  get isFollowed(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Returns all instances with state. A change that this server has made before is in it. Asks Incus, and rejects with
   * its failures, while the mirror is not true.
   */
  async read(signal?: AbortSignal): Promise<ShownInstances> {
    const shown = await this.#caughtUp(signal);
    if (shown !== undefined) {
      this.#outside(() => this.#measureIfDue());
      return shown;
    }
    const { incus } = this.#options;
    const [instances, memoryInUse] = await Promise.all([incus.instancesWithState(signal), incus.memoryInUse(signal)]);
    return { instances, memoryInUse, measuredAt: new Date() };
  }

  /** Like {@link read}, for what shows no state. */
  async instances(signal?: AbortSignal): Promise<readonly IncusInstance[]> {
    return (await this.#caughtUp(signal))?.instances ?? this.#options.incus.instances(signal);
  }

  #isTrue(): boolean {
    return this.#isOpen && this.#measured !== undefined && this.#trouble === null;
  }

  /** Reads what has changed, and returns what is known then; undefined if Incus has to be asked for everything. */
  async #caughtUp(signal: AbortSignal | undefined): Promise<ShownInstances | undefined> {
    if (!this.#isTrue()) return undefined;
    if (this.#behind.size > 0)
      await orAborted(
        this.#outside(() => this.#rereadAll()),
        signal,
      );
    return this.#isTrue() && signal?.aborted !== true ? this.present : undefined;
  }

  #start(): void {
    const running = new AbortController();
    this.#running = running;
    const tried = Promise.withResolvers<undefined>();
    void this.#followEvents(running.signal, () => tried.resolve(undefined));
    void this.#measureAtIntervals(running.signal, tried.promise);
  }

  #stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    clearTimeout(this.#rereadTimer);
    this.#rereadTimer = undefined;
    // The next follower must not be shown the state from when the last one left.
    this.#known = new ReadInstances();
    this.#memory = new Map();
    this.#measured = undefined;
    this.#behind.clear();
    this.#rereads.clear();
    this.#isOpen = false;
    this.#triedMs = -Infinity;
    this.#trouble = null;
  }

  /** `tried` is called as soon as the stream is open, or cannot be opened. */
  async #followEvents(signal: AbortSignal, tried: () => void): Promise<void> {
    const listener = {
      opened: (): void => {
        this.#isOpen = true;
        // What happened before is in an answer that is asked for now.
        this.#measured = undefined;
        void this.#measure();
        tried();
      },
      event: ({ action, instance }: { readonly action: string; readonly instance: string | null }): void => {
        // Both change instances whose names the event does not have.
        if (action === 'instance-renamed' || action.startsWith('profile-')) void this.#measure();
        if (instance !== null && !ignoredActions.has(action)) this.#changed([instance]);
      },
    };
    while (!signal.aborted) {
      try {
        await this.#options.source.events(listener, signal);
      } catch (error) {
        if (this.#running?.signal === signal) this.#fail(Failure.from(error));
      }
      tried();
      if (this.#running?.signal === signal) this.#isOpen = false;
      await pause(reopenMs, signal);
    }
  }

  #changed(names: readonly string[]): void {
    if (this.#running === undefined) return;
    for (const name of names) this.#behind.set(name, ++this.#changes);
    this.#rereadTimer ??= setTimeout(() => {
      this.#rereadTimer = undefined;
      void this.#rereadAll();
    }, rereadDelayMs);
  }

  async #rereadAll(): Promise<void> {
    await Promise.all([...this.#behind].map(([name, change]) => this.#reread(name, change)));
  }

  /** Reads an instance, unless a read is under way that began after the change. */
  #reread(name: string, change: number): Promise<void> {
    const underWay = this.#rereads.get(name);
    if (underWay !== undefined && underWay.covers >= change) return underWay.done;
    const reread: Reread = { covers: change, done: this.#readOnce(name, change) };
    this.#rereads.set(name, reread);
    return reread.done.finally(() => {
      if (this.#rereads.get(name) === reread) this.#rereads.delete(name);
    });
  }

  async #readOnce(name: string, change: number): Promise<void> {
    const signal = this.#running?.signal;
    if (signal === undefined) return;
    const known = this.#known;
    const question = known.ask();
    let now: IncusInstance | undefined;
    try {
      now = await this.#options.incus.instance(name, signal);
    } catch (error) {
      if (!signal.aborted) this.#fail(Failure.from(error));
      return;
    }
    if (known !== this.#known) return;
    if (this.#behind.get(name) === change) this.#behind.delete(name);
    const changes = known.take(question, name, now === undefined ? undefined : compact(now));
    // What was in use before a start says nothing about after it.
    for (const { before } of changes)
      if (before?.state?.started_at !== now?.state?.started_at) this.#memory.delete(name);
    this.#publish(changes);
  }

  async #measureAtIntervals(signal: AbortSignal, tried: Promise<undefined>): Promise<void> {
    await Promise.race([tried, pause(streamFirstMs, signal)]);
    while (!signal.aborted) {
      const dueInMs = this.#dueInMs([...this.#followers].some(({ watches }) => watches));
      if (dueInMs > 0) await pause(dueInMs, AbortSignal.any([signal, this.#wake.signal]));
      else await (this.#measuring ?? this.#measure());
    }
  }

  #dueInMs(isWatched: boolean): number {
    const pauseMs = this.#trouble === null ? this.#options.pause(this.#measured?.costMs ?? 0, isWatched) : retryMs;
    return this.#triedMs + pauseMs - performance.now();
  }

  /** Measures if the figures are older than those of an open live list. */
  #measureIfDue(): void {
    if (this.#dueInMs(true) <= 0) void this.#measure();
  }

  /** Looks again when the next measurement is due. */
  #wakeUp(): void {
    this.#wake.abort();
    this.#wake = new AbortController();
  }

  /** Reads everything, once at a time. What is asked meanwhile causes another. */
  #measure(): Promise<void> {
    if (this.#measuring !== undefined) {
      this.#measureAgain = true;
      return this.#measuring;
    }
    this.#measuring = this.#measureOnce().finally(() => {
      this.#measuring = undefined;
      if (!this.#measureAgain) return;
      this.#measureAgain = false;
      void this.#measure();
    });
    return this.#measuring;
  }

  async #measureOnce(): Promise<void> {
    const signal = this.#running?.signal;
    if (signal === undefined) return;
    const known = this.#known;
    const question = known.ask();
    const [startedMs, wasOpen, behind] = [performance.now(), this.#isOpen, [...this.#behind]];
    const { incus } = this.#options;
    try {
      const [instances, memory] = await Promise.all([incus.instancesWithState(signal), incus.memoryInUse(signal)]);
      if (known !== this.#known) return;
      const changes = known.takeAll(question, instances.map(compact));
      this.#memory = new Map(memory);
      for (const [name, change] of behind) if (this.#behind.get(name) === change) this.#behind.delete(name);
      this.#triedMs = performance.now();
      // A stream that opened meanwhile may have missed what happened since the question.
      if (wasOpen === this.#isOpen) this.#measured = { at: new Date(), costMs: this.#triedMs - startedMs };
      if (this.#isOpen) this.#trouble = null;
      this.#publish(changes);
    } catch (error) {
      if (signal.aborted) return;
      this.#triedMs = performance.now();
      this.#fail(Failure.from(error));
    }
  }

  #fail({ what, why }: Failure): void {
    const trouble = `${what}: ${why}`;
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    this.#wakeUp();
    this.#publish([]);
  }

  #publish(changes: readonly InstanceChange[]): void {
    for (const follower of this.#followers) follower.updated(changes);
  }
}

/** Resolves with the work, or as soon as the signal is aborted. */
async function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const leave = (): void => resolve(undefined);
  signal.addEventListener('abort', leave, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** Resolves after a time, or as soon as the signal is aborted. */
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
