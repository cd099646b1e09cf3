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
import pRetry from 'p-retry';
import { aboutToBegin, busy, Turns } from './turns.ts';
import { ulid } from 'ulid';
import { Failure, type FailureData } from '../domain/failure.ts';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import type { Actor } from '../domain/access/actor.ts';
import type { OpenOperation, StepRecord } from './openOperations.ts';

/** A kind of step and its undo, found by name, so that a restart can undo a step from the journal alone. */
export interface StepKind<F extends JsonObject = JsonObject> {
  readonly name: string;
  /**
   * Undoes the step, whether it took effect, did so in part, or not at all. Looks at the host first, and does nothing
   * if there is nothing of this operation. Rejects if it cannot find out.
   */
  undo(facts: F): Promise<void>;
  /**
   * Only for a step that cannot be undone: returns whether it took effect. If so, the operation is finished and not
   * undone.
   */
  settled?(facts: F): Promise<boolean>;
  /** Set if the step makes something that only the operation itself needs: it is undone however the operation ends. */
  readonly temporary?: true;
}

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
}

export interface OperationsOptions {
  readonly recorder: Recorder;
  readonly kinds: Iterable<StepKind<never>>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Retries of a failed undo, before the operation is left to {@link Operations.recover}. Times in milliseconds. */
  readonly undoRetry?: UndoRetry;
}

export interface UndoRetry {
  readonly retries: number;
  readonly minTimeout: number;
  readonly maxTimeout: number;
  /** No retries after this time, because the caller is waiting. */
  readonly maxRetryTime: number;
}

const defaultUndoRetry: UndoRetry = { retries: 2, minTimeout: 200, maxTimeout: 2000, maxRetryTime: 30_000 };

/** A running operation, as its body sees it. */
export interface Running {
  readonly id: string;
  /** Journals the step, does it, and journals that it is done. `facts` is the input of its undo. */
  step<F extends JsonObject, T>(kind: StepKind<F>, facts: F, act: () => Promise<T>): Promise<T | undefined>;
}

export class Operations {
  readonly #recorder: Recorder;
  readonly #kinds: Map<string, StepKind>;
  readonly #now: () => number;
  readonly #undoRetry: UndoRetry;
  readonly #open = new Map<string, OpenOperation>();
  /** Ids of the open operations whose first record is in the journal. */
  readonly #recorded = new Set<string>();
  /** Ids of the open operations that are not running: an earlier process left them, or they could not be ended. */
  readonly #waiting = new Set<string>();
  /** Why waiting operations could not be ended, as recorded last, so that a retry records only a new reason. */
  readonly #reasons = new Map<string, string>();
  readonly #turns = new Turns();
  #recovering: Promise<unknown> = Promise.resolve();

  constructor(options: OperationsOptions) {
    this.#recorder = options.recorder;
    this.#kinds = new Map([...options.kinds].map((kind) => [kind.name, kind as unknown as StepKind]));
    this.#now = options.now ?? Date.now;
    this.#undoRetry = options.undoRetry ?? defaultUndoRetry;
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

  /** Throws `busy` if an operation holds the target, unless an owner's runs, for which {@link run} decides. */
  ensureFree(target: string): void {
    const holder = this.holder(target);
    if (holder !== undefined && !this.#isOwners(holder)) throw busy(target, holder);
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
   */
  async run<P, T>(
    request: OperationRequest,
    prepare: () => Promise<P>,
    body: (operation: Running, prepared: P) => Promise<T>,
  ): Promise<T> {
    const { target, actor } = request;
    const before = this.holder(target);
    if (before !== undefined && actor.entryPoint !== 'self' && this.#isOwners(before))
      await this.#turns.after(before.id, target);
    // From here to the entry below nothing may wait, so that nobody else begins.
    const holder = this.holder(target);
    if (holder !== undefined) throw busy(target, holder);
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
    let prepared: P;
    try {
      prepared = await prepare();
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
      throw error;
    }
    let result: { readonly value: T } | undefined;
    try {
      const running: Running = {
        id: operation.id,
        step: (kind, facts, act) => this.#step(operation, kind, facts, act),
      };
      result = { value: await body(running, prepared) };
      await this.#undo(operation, (kind) => kind.temporary === true);
      await this.#recordEnd(operation, 'done', undefined);
      return result.value;
    } catch (error) {
      const failure = Failure.from(error);
      if ((await this.#end(operation, failure)) === 'undone') throw failure;
      if (result !== undefined && !this.#open.has(operation.id)) return result.value;
      throw new Failure(
        'partial',
        {
          what: `"${operation.verb} ${operation.target}"`,
          why: `the change was made, but a later step failed: ${failure.what}: ${failure.why}`,
          next: 'run "reconcile" and "doctor" to see what remains to be done',
          details: { operation: operation.id },
        },
        error,
      );
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
      await pMap(this.unfinished(), (operation) => this.#end(operation, undefined).catch(() => undefined), {
        concurrency: 8,
      });
      return this.unfinished();
    });
    this.#recovering = run.catch(() => undefined);
    return run;
  }

  async #step<F extends JsonObject, T>(
    operation: OpenOperation,
    kind: StepKind<F>,
    facts: F,
    act: () => Promise<T>,
  ): Promise<T | undefined> {
    const registered = this.#kinds.get(kind.name);
    if (registered === undefined || registered !== (kind as unknown as StepKind))
      throw new Error(`step kind "${kind.name}" is not registered`);
    if (operation.steps.some((step) => this.#kinds.get(step.kind)?.settled !== undefined)) {
      throw new Error(`step "${kind.name}" comes after one that cannot be undone`);
    }
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
      result = await act();
    } catch (error) {
      // The program may have failed, hung or been killed after it took effect, so for a step without undo the host is
      // asked. If it does not answer, the end of the operation asks again.
      if (!(await this.#tookEffect(registered, facts).catch(() => false))) throw error;
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

  #tookEffect(kind: StepKind, facts: JsonObject): Promise<boolean> {
    return pRetry(async () => (await kind.settled?.(facts)) ?? false, { ...this.#undoRetry, randomize: true });
  }

  /** Returns whether the step without undo took effect. Once that step is marked as undone, the answer stays false. */
  async #isDone({ steps }: OpenOperation): Promise<boolean> {
    const last = steps.at(-1);
    if (last === undefined || last.state === 'undone') return false;
    const kind = this.#kinds.get(last.kind);
    return kind?.settled !== undefined && this.#tookEffect(kind, last.facts);
  }

  /** Undoes the steps that `applies` selects, the newest first, each once. */
  async #undo(operation: OpenOperation, applies: (kind: StepKind) => boolean): Promise<void> {
    for (const [index, step] of [...operation.steps.entries()].reverse()) {
      if (step.state === 'undone') continue;
      const kind = this.#kinds.get(step.kind);
      if (kind === undefined)
        throw new Failure('internal', {
          what: `step "${step.kind}"`,
          why: 'this version does not know how to undo it',
        });
      if (!applies(kind)) continue;
      await pRetry(() => kind.undo(step.facts), { ...this.#undoRetry, randomize: true });
      step.state = 'undone';
      // This record is informative. If it is missing, a later undo runs again and finds nothing to do.
      await this.#recorder
        .append({ type: 'step-undone', op: operation.id, ...briefAuditFields(operation), step: index })
        .catch(() => undefined);
    }
  }

  /**
   * Finishes or undoes an operation that cannot continue. Rejects with `partial` if neither is possible now, and leaves
   * the operation to {@link recover}.
   */
  async #end(operation: OpenOperation, failure: Failure | undefined): Promise<'undone' | 'finished'> {
    let outcome: 'undone' | 'finished';
    try {
      outcome = (await this.#isDone(operation)) ? 'finished' : 'undone';
      await this.#undo(operation, (kind) => outcome === 'undone' || kind.temporary === true);
    } catch (error) {
      this.#waiting.add(operation.id);
      const cause = Failure.from(error);
      await this.#recordReason(operation, cause);
      throw new Failure(
        'partial',
        {
          what: `"${operation.verb} ${operation.target}"`,
          why: `${failure === undefined ? 'it was interrupted' : `it failed (${failure.what}: ${failure.why})`}, and it could not be undone: ${cause.what}: ${cause.why}`,
          next: 'the server will try again by itself; "reconcile" shows what differs, and "doctor" what is wrong with the host',
          details: { operation: operation.id },
        },
        error,
      );
    }
    // The host is in order. If this record cannot be written, the next recover writes it.
    await this.#recordEnd(operation, outcome, failure).catch(() => this.#waiting.add(operation.id));
    return outcome;
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
    outcome: 'done' | 'undone' | 'finished',
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

/** Returns the fields by which an audit query finds a record of an operation. */
function auditFields({ verb, target, actor }: OpenOperation): { verb: string; target: string; actor: JsonObject } {
  return { verb, target, actor: { ...actor } };
}

/**
 * Returns the same fields for a step's record. The actor is only a name, because the operation's record has the rest.
 */
function briefAuditFields({ verb, target, actor }: OpenOperation): { verb: string; target: string; actor: string } {
  return { verb, target, actor: actor.name };
}

function asJson(data: FailureData): JsonObject {
  return JSON.parse(JSON.stringify(data)) as JsonObject;
}
