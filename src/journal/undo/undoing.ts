/** Undoes steps of an operation, and finds out whether the one that cannot be undone took effect. */
import pRetry from 'p-retry';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { StepKind, StepRecord } from './stepKind.ts';

/** Times in milliseconds. */
export interface UndoRetry {
  readonly retries: number;
  readonly minTimeout: number;
  readonly maxTimeout: number;
  /** No retries after this time, because the caller is waiting. */
  readonly maxRetryTime: number;
}

const defaultUndoRetry: UndoRetry = { retries: 2, minTimeout: 200, maxTimeout: 2000, maxRetryTime: 30_000 };

/** Records that a step is undone; `failure` says what made the undo inside a container fail. */
export type RecordUndone = (step: number, failure: Failure | undefined) => Promise<unknown>;

export class Undoing {
  readonly #kinds: ReadonlyMap<string, StepKind>;
  readonly #retry: UndoRetry;

  constructor(kinds: Iterable<StepKind<never>>, retry = defaultUndoRetry) {
    this.#kinds = new Map([...kinds].map((kind) => [kind.name, kind as unknown as StepKind]));
    this.#retry = retry;
  }

  kind(name: string): StepKind | undefined {
    return this.#kinds.get(name);
  }

  /**
   * Undoes the steps that `applies` selects, the newest first, each once. After one that fails, only those follow that
   * do not depend on it. `say` is told what each does before it does it. Rejects with the first failure.
   */
  async undo(
    steps: readonly StepRecord[],
    applies: (kind: StepKind) => boolean,
    recordUndone: RecordUndone,
    say: (undoing: string) => void = () => undefined,
  ): Promise<void> {
    let failed: { readonly error: unknown } | undefined;
    let isBlocked = false;
    for (const [index, step] of [...steps.entries()].reverse()) {
      if (step.state === 'undone') continue;
      const kind = this.#kinds.get(step.kind);
      if (kind !== undefined && (!applies(kind) || (isBlocked && kind.apart !== true))) continue;
      if (kind?.undoing !== undefined) say(kind.undoing);
      try {
        const failure = await this.#undoOne(kind, step);
        step.state = 'undone';
        // This record is informative. If it is missing, a later undo runs again and finds nothing to do.
        await recordUndone(index, failure).catch(() => undefined);
      } catch (error) {
        failed ??= { error };
        isBlocked ||= kind?.apart !== true;
      }
    }
    if (failed !== undefined) throw failed.error;
  }

  /** Resolves to the failure of an undo that is over all the same. */
  async #undoOne(kind: StepKind | undefined, { kind: name, facts }: StepRecord): Promise<Failure | undefined> {
    if (kind === undefined)
      throw new Failure('internal', {
        what: `step "${name}"`,
        why: 'this version does not know how to undo it',
      });
    try {
      await pRetry(() => kind.undo(facts), { ...this.#retry, randomize: true });
      return undefined;
    } catch (error) {
      if (kind.inside === true && isFailure(error, 'program-failed', 'timeout', 'unexpected-output')) return error;
      throw error;
    }
  }

  /** Returns whether a step that cannot be undone took effect; false for any other. */
  tookEffect(kind: StepKind, facts: JsonObject): Promise<boolean> {
    return pRetry(async () => (await kind.settled?.(facts)) ?? false, { ...this.#retry, randomize: true });
  }

  /** Returns whether the step without undo took effect. Once that step is marked as undone, the answer stays false. */
  async isDone(steps: readonly StepRecord[]): Promise<boolean> {
    const last = steps.at(-1);
    if (last === undefined || last.state === 'undone') return false;
    const kind = this.#kinds.get(last.kind);
    return kind?.settled !== undefined && this.tookEffect(kind, last.facts);
  }

  /** Reports whether a step is to be undone however the operation ends. */
  hasTemporary(steps: readonly StepRecord[]): boolean {
    return steps.some(({ kind, state }) => state !== 'undone' && this.#kinds.get(kind)?.temporary === true);
  }

  /** Reports whether one of the steps cannot be undone. */
  isFinal(steps: readonly StepRecord[]): boolean {
    return steps.some(({ kind }) => this.#kinds.get(kind)?.settled !== undefined);
  }

  /** Reports whether every step that is not undone may stay as it is. */
  isLeavable(steps: readonly StepRecord[]): boolean {
    return steps.every(({ kind, state }) => state === 'undone' || this.#kinds.get(kind)?.leavable === true);
  }
}
