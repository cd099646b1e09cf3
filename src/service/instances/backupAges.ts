/** When each container was backed up last. Lists show it, and must not wait for a bucket, so it is remembered. */
import { AnswerOrder } from '../../domain/answerOrder.ts';
import { newestFirst } from '../../repository/newest.ts';
import type { KeptBackup, Repository } from '../../repository/repository.ts';

export class BackupAges {
  readonly #repository: () => Promise<Repository>;
  readonly #now: () => Date;
  /** Undefined until the stores have answered once. */
  #newest: Map<string, string> | undefined;
  #largestBytes = 0;
  readonly #order = new AnswerOrder();
  /** For each refresh under way, what was noted since it asked. */
  readonly #noted = new Set<Map<string, string>>();

  constructor(repository: () => Promise<Repository>, now: () => Date) {
    this.#repository = repository;
    this.#now = now;
  }

  /**
   * Reads the stores. Rejects if one does not answer; what was known stays. An answer that is overtaken by that
   * of a later refresh is dropped, and what {@link note} says meanwhile counts.
   */
  async refresh(signal?: AbortSignal): Promise<void> {
    const isLatest = this.#order.ask();
    const noted = new Map<string, string>();
    this.#noted.add(noted);
    const list = async (): Promise<KeptBackup[]> => (await this.#repository()).list(undefined, signal);
    const backups = await list().finally(() => this.#noted.delete(noted));
    const newest = new Map<string, string>();
    let largestBytes = 0;
    // The newest comes first.
    for (const backup of newestFirst(backups, this.#now()).toReversed()) {
      const { container, manifest, trouble } = backup;
      // One that cannot be restored is none.
      if (manifest !== undefined && trouble === undefined) newest.set(container, manifest.createdAt);
      largestBytes = Math.max(largestBytes, manifest?.data.storedBytes ?? 0);
    }
    if (!isLatest()) return;
    this.#newest = new Map([...newest, ...noted]);
    this.#largestBytes = largestBytes;
  }

  note(container: string, createdAt: string): void {
    this.#newest?.set(container, createdAt);
    for (const noted of this.#noted) noted.set(container, createdAt);
  }

  /** Returns the time of a container's newest backup, RFC 3339 UTC; null if it has none, or if that is not known. */
  of(container: string): string | null {
    return this.#newest?.get(container) ?? null;
  }

  /** What the largest backup takes in a store, in bytes; 0 if there is none. */
  get largestBytes(): number {
    return this.#largestBytes;
  }

  get isKnown(): boolean {
    return this.#newest !== undefined;
  }
}
