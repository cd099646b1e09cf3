/**
 * The instances as they were read last. Reads overlap and may be answered in any order, so an answer counts only if it
 * was asked for after the one that it would replace.
 */
import type { IncusInstance } from '../incus/documents.ts';

/** An instance before and after an answer; undefined where it did not exist. */
export interface InstanceChange {
  readonly before: IncusInstance | undefined;
  readonly now: IncusInstance | undefined;
}

export class ReadInstances {
  #asked = 0;
  readonly #instances = new Map<string, IncusInstance>();
  /** When the answer about an instance was asked for, also about one that did not exist. */
  readonly #askedFor = new Map<string, number>();

  /** Returns the number of a question that is about to be asked. */
  ask(): number {
    return ++this.#asked;
  }

  get all(): readonly IncusInstance[] {
    return [...this.#instances.values()];
  }

  /** Takes the answer about one instance; undefined means that it does not exist. */
  take(question: number, name: string, now: IncusInstance | undefined): InstanceChange[] {
    if (question < (this.#askedFor.get(name) ?? 0)) return [];
    const before = this.#instances.get(name);
    this.#askedFor.set(name, question);
    if (now === undefined) this.#instances.delete(name);
    else this.#instances.set(name, now);
    return before === undefined && now === undefined ? [] : [{ before, now }];
  }

  /** Takes the answer about all instances. */
  takeAll(question: number, found: readonly IncusInstance[]): InstanceChange[] {
    const names = new Set(found.map(({ name }) => name));
    const changes = [
      ...found.flatMap((instance) => this.take(question, instance.name, instance)),
      ...[...this.#instances.keys()]
        .filter((name) => !names.has(name))
        .flatMap((name) => this.take(question, name, undefined)),
    ];
    for (const [name, asked] of this.#askedFor)
      if (asked <= question && !this.#instances.has(name)) this.#askedFor.delete(name);
    return changes;
  }
}
