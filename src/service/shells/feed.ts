/**
 * The live list of containers: what changes in the mirror of Incus, as the containers that subscribers show. With each
 * measurement of use, the feed works out the CPU use since the one before, and keeps the last ones for the sparklines.
 */
import type { FeedContainer, FeedUpdate } from '../../domain/events/notice.ts';
import { containerName } from '../../domain/values/username.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { InstanceMirror } from '../../host/mirror/mirror.ts';
import type { InstanceChange } from '../../host/mirror/readInstances.ts';
import { toContainer } from '../instances/containers.ts';
import { ownerOfInstance } from '../instances/metadata.ts';
import { generationsAmong, replacedOf, withGenerations } from '../snapshots/generations.ts';

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
  readonly #mirror: Pick<InstanceMirror, 'follow' | 'present' | 'trouble'>;
  readonly #listeners = new Set<Listener>();
  /** By the name of the instance. */
  readonly #containers = new Map<string, FeedContainer>();
  readonly #cpu = new Map<string, { atMs: number; usedNs: number }>();
  readonly #samples = new Map<string, Sample[]>();
  #unfollow: (() => void) | undefined;
  #known = false;
  #stale: string | null = null;

  constructor(mirror: Pick<InstanceMirror, 'follow' | 'present' | 'trouble'>) {
    this.#mirror = mirror;
  }

  /** Returns the measurements of a user's container, oldest first; empty if the feed had no subscribers for a while. */
  samples(user: string): readonly Sample[] {
    return this.#samples.get(containerName(user)) ?? [];
  }

  /** Sends `listener` the whole list at once, then the changes. Returns a function that ends the subscription. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#known) listener(this.#whole());
    if (this.#unfollow === undefined) this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  #whole(): FeedUpdate {
    return { ...this.#update([...this.#containers.values()], []), whole: true };
  }

  #update(changed: readonly FeedContainer[], removed: readonly string[]): FeedUpdate {
    const measuredAt = this.#mirror.present?.measuredAt.toISOString() ?? null;
    return { whole: false, changed, removed, measuredAt, stale: this.#stale };
  }

  #start(): void {
    this.#unfollow = this.#mirror.follow({ watches: true, updated: (changes) => this.#updated(changes) });
    const known = this.#mirror.present?.instances;
    if (known !== undefined) this.#updated(known.map((now) => ({ before: undefined, now })));
  }

  #stop(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
    // The next subscriber must not be shown the state from when the last one left.
    this.#known = false;
    this.#stale = null;
    this.#containers.clear();
  }

  #updated(changes: readonly InstanceChange[]): void {
    const wasStale = this.#stale;
    this.#stale = this.#mirror.trouble;
    const present = this.#mirror.present;
    if (present === undefined) {
      if (wasStale !== this.#stale) this.#publish(this.#update([], []));
      return;
    }
    const isFirst = !this.#known;
    const { instances, memoryInUse } = present;
    const byName = new Map(instances.map((instance) => [instance.name, instance]));
    const generations = generationsAmong(instances);
    const changed: FeedContainer[] = [];
    const removed: string[] = [];
    for (const name of isFirst ? byName.keys() : containersOf(changes)) {
      const instance = byName.get(name);
      const before = this.#containers.get(name);
      if (instance === undefined || ownerOfInstance(instance) === undefined) {
        if (before !== undefined) removed.push(before.user);
        for (const kept of [this.#containers, this.#samples, this.#cpu]) kept.delete(name);
        continue;
      }
      const container = {
        ...toContainer(withGenerations(instance, generations), memoryInUse),
        cpuPercent: this.#cpuPercent(instance),
      };
      this.#containers.set(name, container);
      this.#sample(container);
      if (JSON.stringify(before) !== JSON.stringify(container)) changed.push(container);
    }
    this.#known = true;
    if (isFirst) this.#publish(this.#whole());
    else if (changed.length > 0 || removed.length > 0 || wasStale !== this.#stale)
      this.#publish(this.#update(changed, removed));
  }

  /** Returns the percent of one CPU since the measurement before; null without one. */
  #cpuPercent({ name, status, state }: IncusInstance): number | null {
    const atMs = performance.now();
    const usedNs = status === 'Running' ? state?.cpu?.usage : undefined;
    const before = this.#cpu.get(name);
    if (usedNs === undefined) {
      this.#cpu.delete(name);
      return null;
    }
    // Two measurements less than a second apart show only noise.
    if (before !== undefined && usedNs >= before.usedNs && atMs - before.atMs < 1000)
      return this.#containers.get(name)?.cpuPercent ?? null;
    this.#cpu.set(name, { atMs, usedNs });
    if (before === undefined || usedNs < before.usedNs) return null;
    return Math.round(((usedNs - before.usedNs) / ((atMs - before.atMs) * 1e6)) * 1000) / 10;
  }

  /** Keeps a measurement, if it is a new one. */
  #sample({ name, cpuPercent, memoryUsedBytes: memoryBytes }: FeedContainer): void {
    const atMs = this.#cpu.get(name)?.atMs;
    const samples = this.#samples.get(name) ?? [];
    if (atMs === undefined || cpuPercent === null || samples.at(-1)?.atMs === atMs) return;
    this.#samples.set(name, [...samples, { atMs, cpuPercent, memoryBytes }].slice(-maxSamples));
  }

  #publish(update: FeedUpdate): void {
    for (const listener of this.#listeners) listener(update);
  }
}

/** Returns the names of the containers that these changes concern: an earlier generation is part of its container. */
function containersOf(changes: readonly InstanceChange[]): Set<string> {
  const names = new Set<string>();
  for (const instance of changes.flatMap(({ before, now }) => [before, now])) {
    if (instance === undefined) continue;
    const user = replacedOf(instance);
    names.add(user === undefined ? instance.name : containerName(user));
  }
  return names;
}
