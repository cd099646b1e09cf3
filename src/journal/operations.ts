/**
 * Operations: changes made of steps. Each step is journaled before it begins and after it is done, and has an undo that
 * reverts only what this operation did.
 *
 * An operation takes effect as a whole or not at all, by one rule: at most one step cannot be undone, and it is the
 * last one. Whether that step took effect is determined by asking the host (`settled`), never by how its program ended.
 *
 * A step that cannot be journaled is not begun. Undoing does not need the journal: if the journal cannot be written,
 * the steps are undone all the same, and the operation stays open until its end can be recorded.
 */
import pMap from 'p-map';
import { ulid } from 'ulid';
import { throwIfCancelled, toItsEnd } from '../domain/cancellation.ts';
import { Failure } from '../domain/failure.ts';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import type { Actor } from '../domain/access/actor.ts';
import type { OpenOperation } from './openOperations.ts';
import { asCancelled, laterStepFailed, notEnded } from './operationFailures.ts';
import { asJson, auditFields, briefAuditFields } from './operationRecords.ts';
import { aboutToBegin, busy, takenOver, Turns } from './turns.ts';
import type { StepKind, StepRecord } from './undo/stepKind.ts';
import { Undoing, type UndoRetry } from './undo/undoing.ts';

/** The part of the journal that operations need. */
export interface Recorder {
  append(entry: { type: string } & JsonObject): Promise<unknown>;
}

export interface OperationRequest {
  readonly verb: string;
  /** The thing that the operation changes. Two operations on one target never overlap. */
  readonly target: string;
  readonly actor: Actor;
  /** The input, without secrets, because the journal keeps it for years. */
  readonly input: JsonObject;
  /**
   * True for an urgent change. By an admin, it takes over the target from an operation that only waits, if what that
   * one could not undo may stay.
   */
  readonly takesOver?: boolean | undefined;
  /** Tells the caller what is undone, if the caller has cancelled the change. */
  readonly say?: ((text: string) => void) | undefined;
}

export interface OperationsOptions {
  readonly recorder: Recorder;
  readonly kinds: Iterable<StepKind<never>>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Retries of a failed undo, before the operation is left to {@link Operations.recover}. */
  readonly undoRetry?: UndoRetry;
}

/** A running operation, as its body sees it. */
export interface Running {
  readonly id: string;
  /** Journals the step, does it, and journals that it is done. `facts` is the input of its undo. */
  step<F extends JsonObject, T>(kind: StepKind<F>, facts: F, act: () => Promise<T>): Promise<T | undefined>;
}

export class Operations {
  readonly #recorder: Recorder;
  readonly #undoing: Undoing;
  readonly #now: () => number;
  readonly #open = new Map<string, OpenOperation>();
  /** Ids of the open operations whose first record is in the journal. */
  readonly #recorded = new Set<string>();
  /** Ids of the open operations that are not running: an earlier process left them, or they could not be ended. */
  readonly #waiting = new Set<string>();
  /** Attempts to end waiting operations, by id. They never reject. */
  readonly #ending = new Map<string, Promise<void>>();
  /** Why waiting operations could not be ended, as recorded last, so that a retry records only a new reason. */
  readonly #reasons = new Map<string, string>();
  readonly #turns = new Turns();
  #recovering: Promise<unknown> = Promise.resolve();

  constructor(options: OperationsOptions) {
    this.#recorder = options.recorder;
    this.#undoing = new Undoing(options.kinds, options.undoRetry);
    this.#now = options.now ?? Date.now;
  }

  /** True while any operation runs. */
  get active(): boolean {
    return this.#open.size > this.#waiting.size;
  }

  /** Returns every operation that is running or waiting for {@link recover}. */
  open(): readonly OpenOperation[] {
    return [...this.#open.values()];
  }

  /** Returns the operations that are waiting for {@link recover}. */
  unfinished(): readonly OpenOperation[] {
    return this.open().filter(({ id }) => this.#waiting.has(id));
  }

  /** Returns the recorded operations that have not ended, with which a new journal segment begins. */
  carry(): JsonValue {
    return this.open()
      .filter(({ id }) => this.#recorded.has(id))
      .map((operation) => JSON.parse(JSON.stringify(operation)) as JsonValue);
  }

  /** Returns the operation that holds `target`, if any. */
  holder(target: string): OpenOperation | undefined {
    return this.open().find((operation) => operation.target === target);
  }

  /**
   * Throws `busy` if an operation holds the target, unless {@link run} decides: for one of an owner that runs, and for
   * a change that takes over one that waits.
   */
  ensureFree(target: string, { takesOver = false }: Pick<OperationRequest, 'takesOver'> = {}): void {
    const holder = this.holder(target);
    if (holder === undefined || this.#isOwners(holder) || (takesOver && this.#waiting.has(holder.id))) return;
    throw busy(target, holder);
  }

  #isOwners({ id, actor }: OpenOperation): boolean {
    return actor.entryPoint === 'self' && !this.#waiting.has(id);
  }

  /**
   * Runs an operation, and holds its target from start to end. `prepare` checks whether it is possible and changes
   * nothing, so that a refusal leaves no record of an operation. `body` makes the change. If `body` throws, the begun
   * steps are undone, the newest first, and the failure is passed on.
   *
   * Rejects with `partial` in two cases: if the steps cannot be undone now, in which case the operation stays open for
   * {@link recover}; and if something failed after the step that cannot be undone, in which case the change is made.
   * Rejects with `cancelled` if the caller cancels it (`domain/cancellation.ts`) before the step that cannot be undone.
   */
  async run<P, T>(
    request: OperationRequest,
    prepare: () => Promise<P>,
    body: (operation: Running, prepared: P) => Promise<T>,
  ): Promise<T> {
    const { target, actor } = request;
    const takesOver = request.takesOver === true && actor.entryPoint !== 'self';
    const before = this.holder(target);
    if (before !== undefined && actor.entryPoint !== 'self' && this.#isOwners(before))
      await this.#turns.after(before.id, target);
    if (takesOver) await this.#endWaiting(this.holder(target));
    // From here to the entry below nothing may wait, so that nobody else begins.
    const holder = this.holder(target);
    if (holder !== undefined && !(takesOver && this.#isLeavable(holder))) throw busy(target, holder);
    if (actor.entryPoint === 'self' && this.#turns.isAwaited(target)) throw aboutToBegin(target);
    const startedMs = this.#now();
    const operation: OpenOperation = {
      id: ulid(startedMs),
      verb: request.verb,
      target: request.target,
      actor: request.actor,
      startedAt: new Date(startedMs).toISOString(),
      steps: [],
    };
    this.#open.set(operation.id, operation);
    const release = this.#claim(holder);
    let prepared: P;
    try {
      prepared = await prepare();
      if (holder !== undefined) await this.#recordEnd(holder, 'abandoned', takenOver(holder, operation));
      await this.#recorder.append({
        type: 'operation',
        op: operation.id,
        ...auditFields(operation),
        input: request.input,
        startedAt: operation.startedAt,
      });
      this.#recorded.add(operation.id);
    } catch (error) {
      this.#forget(operation.id);
      throw asCancelled(operation, error) ?? error;
    } finally {
      release();
    }
    let result: { readonly value: T } | undefined;
    try {
      const running: Running = {
        id: operation.id,
        step: (kind, facts, act) => this.#step(operation, kind, facts, act),
      };
      const value = await body(running, prepared);
      if (!this.#undoing.isFinal(operation.steps)) throwIfCancelled();
      await this.#recordMade(operation);
      result = { value };
      await toItsEnd(() => this.#undo(operation, (kind) => kind.temporary === true));
      await this.#recordEnd(operation, 'done', undefined);
      return result.value;
    } catch (error) {
      const cancelled = asCancelled(operation, error);
      const failure = cancelled ?? Failure.from(error);
      const say = cancelled === undefined ? undefined : request.say;
      if ((await toItsEnd(() => this.#end(operation, failure, say))) === 'undone') throw failure;
      if (result !== undefined && !this.#open.has(operation.id)) return result.value;
      throw laterStepFailed(operation, failure, error);
    }
  }

  /**
   * Adopts operations that an earlier process left open. They hold their targets until {@link recover} has ended them.
   */
  adopt(operations: Iterable<OpenOperation>): void {
    for (const operation of operations) {
      this.#open.set(operation.id, operation);
      this.#recorded.add(operation.id);
      this.#waiting.add(operation.id);
    }
  }

  /**
   * Ends the waiting operations: finishes those whose step without undo took effect, and undoes the others. Returns the
   * operations that could not be ended; call again later. Concurrent calls run one after the other.
   */
  recover(): Promise<readonly OpenOperation[]> {
    const run = this.#recovering.then(async () => {
      // Each has a target of its own, and one that waits for Incus must not keep the others waiting.
      await pMap(this.unfinished(), (operation) => this.#endWaiting(operation), { concurrency: 8 });
      return this.unfinished();
    });
    this.#recovering = run.catch(() => undefined);
    return run;
  }

  /** Tries to end an operation if it waits. Callers share an attempt that is under way. Never rejects. */
  async #endWaiting(operation: OpenOperation | undefined): Promise<void> {
    if (operation === undefined || !this.#waiting.has(operation.id)) return;
    const underWay = this.#ending.get(operation.id);
    if (underWay !== undefined) return underWay;
    const release = this.#claim(operation);
    await this.#end(operation, undefined).catch(() => undefined);
    release();
  }

  /** Keeps others from ending a waiting operation until the returned function is called. */
  #claim(operation: OpenOperation | undefined): () => void {
    if (operation === undefined) return () => undefined;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#ending.set(operation.id, promise);
    return () => {
      this.#ending.delete(operation.id);
      resolve(undefined);
    };
  }

  #isLeavable({ id, steps }: OpenOperation): boolean {
    return this.#waiting.has(id) && !this.#ending.has(id) && this.#undoing.isLeavable(steps);
  }

  async #step<F extends JsonObject, T>(
    operation: OpenOperation,
    kind: StepKind<F>,
    facts: F,
    act: () => Promise<T>,
  ): Promise<T | undefined> {
    const registered = this.#undoing.kind(kind.name);
    if (registered === undefined || registered !== (kind as unknown as StepKind))
      throw new Error(`step kind "${kind.name}" is not registered`);
    if (this.#undoing.isFinal(operation.steps))
      throw new Error(`step "${kind.name}" comes after one that cannot be undone`);
    throwIfCancelled();
    const index = operation.steps.length;
    await this.#recorder.append({
      type: 'step',
      op: operation.id,
      ...briefAuditFields(operation),
      step: index,
      kind: kind.name,
      facts,
    });
    const record: StepRecord = { kind: kind.name, facts, state: 'begun' };
    operation.steps.push(record);
    let result: T | undefined;
    try {
      result = await (kind.settled === undefined ? act() : toItsEnd(act));
    } catch (error) {
      // The program may have failed, hung or been killed after it took effect, so for a step without undo the host is
      // asked. If it does not answer, the end of the operation asks again.
      if (!(await toItsEnd(() => this.#undoing.tookEffect(registered, facts)).catch(() => false))) throw error;
    }
    record.state = 'done';
    const recorded = this.#recorder.append({
      type: 'step-done',
      op: operation.id,
      ...briefAuditFields(operation),
      step: index,
    });
    // A step that cannot be undone does not fail for lack of this record. The end of the operation records it too.
    await (kind.settled === undefined ? recorded : recorded.catch(() => undefined));
    return result;
  }

  /** Undoes the steps that `applies` selects, see {@link Undoing.undo}. */
  #undo(
    operation: OpenOperation,
    applies: (kind: StepKind) => boolean,
    say?: (undoing: string) => void,
  ): Promise<void> {
    const recordUndone = (step: number, failure: Failure | undefined): Promise<unknown> =>
      this.#recorder.append({
        type: 'step-undone',
        op: operation.id,
        ...briefAuditFields(operation),
        step,
        ...(failure === undefined ? {} : { failure: asJson(failure.toData()) }),
      });
    return this.#undoing.undo(operation.steps, applies, recordUndone, say);
  }

  /**
   * Finishes or undoes an operation that cannot continue. Rejects with `partial` if neither is possible now, and leaves
   * the operation to {@link recover}.
   */
  async #end(
    operation: OpenOperation,
    failure: Failure | undefined,
    say?: (text: string) => void,
  ): Promise<'undone' | 'finished'> {
    let outcome: 'undone' | 'finished';
    try {
      outcome = operation.isMade === true || (await this.#undoing.isDone(operation.steps)) ? 'finished' : 'undone';
      await this.#undo(
        operation,
        (kind) => outcome === 'undone' || kind.temporary === true,
        (undoing) => say?.(`Undoing: ${undoing}`),
      );
    } catch (error) {
      this.#waiting.add(operation.id);
      this.#turns.ended(operation.id);
      const cause = Failure.from(error);
      await this.#recordReason(operation, cause);
      throw notEnded(operation, failure, cause);
    }
    // The host is in order. If this record cannot be written, the next recover writes it.
    await this.#recordEnd(operation, outcome, failure).catch(() => this.#waiting.add(operation.id));
    return outcome;
  }

  /** Records that the change is made, if something is left to undo that only the operation needed. */
  async #recordMade(operation: OpenOperation): Promise<void> {
    if (!this.#undoing.hasTemporary(operation.steps)) return;
    await this.#recorder.append({ type: 'operation-made', op: operation.id, ...briefAuditFields(operation) });
    operation.isMade = true;
  }

  async #recordReason(operation: OpenOperation, cause: Failure): Promise<void> {
    const reason = `${cause.code} ${cause.what}: ${cause.why}`;
    if (this.#reasons.get(operation.id) === reason) return;
    const record = {
      type: 'undo-failed',
      op: operation.id,
      ...auditFields(operation),
      failure: asJson(cause.toData()),
    };
    await this.#recorder.append(record).then(
      () => this.#reasons.set(operation.id, reason),
      () => undefined,
    );
  }

  async #recordEnd(
    operation: OpenOperation,
    outcome: 'done' | 'undone' | 'finished' | 'abandoned',
    failure: Failure | undefined,
  ): Promise<void> {
    await this.#recorder.append({
      type: 'operation-end',
      op: operation.id,
      ...auditFields(operation),
      outcome,
      durationMs: this.#now() - Date.parse(operation.startedAt),
      ...(failure === undefined ? {} : { failure: asJson(failure.toData()) }),
    });
    this.#forget(operation.id);
  }

  #forget(id: string): void {
    this.#open.delete(id);
    this.#recorded.delete(id);
    this.#waiting.delete(id);
    this.#reasons.delete(id);
    this.#turns.ended(id);
  }
}
