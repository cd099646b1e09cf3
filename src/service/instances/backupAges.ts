/** When each container was backed up last. Lists show it, and must not wait for a bucket, so it is remembered. */
import type { Repository } from '../../repository/repository.ts';

export class BackupAges {
  readonly #repository: () => Promise<Repository>;
  /** Undefined until the stores have answered once. */
  #newest: Map<string, string> | undefined;

  constructor(repository: () => Promise<Repository>) {
    this.#repository = repository;
  }

  /** Reads the stores. Rejects if one does not answer; what was known stays. */
  async refresh(signal?: AbortSignal): Promise<void> {
    const newest = new Map<string, string>();
    // The newest comes first.
    for (const { container, manifest } of (await (await this.#repository()).list(undefined, signal)).toReversed())
      if (manifest !== undefined) newest.set(container, manifest.createdAt);
    this.#newest = newest;
  }

  note(container: string, createdAt: string): void {
    this.#newest?.set(container, createdAt);
  }

  /** Returns the time of a container's newest backup, RFC 3339 UTC; null if it has none, or if that is not known. */
  of(container: string): string | null {
    return this.#newest?.get(container) ?? null;
  }

  get isKnown(): boolean {
    return this.#newest !== undefined;
  }
}
