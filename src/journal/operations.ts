/**
 * Changes as operations: a sequence of steps, each journaled before it begins and after it is done, each with an undo
 * that takes back only what this operation did.
 *
 * The rule that makes "wholly changed or wholly as before" possible: at most one step of an operation cannot be undone,
 * and it is the last one. Whether such a step took effect is asked of the host (`settled`), never concluded from how
 * its program ended.
 *
 * Nothing is begun that is not in the journal. Taking back needs no journal: where it cannot be written any more,
 * everything is taken back all the same, and the operation stays open until its end can be recorded.
 */
import pRetry from 'p-retry';
import { ulid } from 'ulid';
import { Failure, type FailureData } from '../domain/failure.ts';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import type { Actor } from '../domain/access/actor.ts';
import type { OpenOperation, StepRecord } from './openOperations.ts';

/** How one kind of step is taken back, by name, so that it can be done after a restart from the journal alone. */
export interface StepKind<F extends JsonObject = JsonObject> {
  readonly name: string;
  /**
   * Takes the step back, whether it took effect, did not, or did in part: it looks at the host first and does nothing
   * where there is nothing of this operation. Rejects where it cannot find out.
   */
  undo(facts: F): Promise<void>;
  /** For a step that cannot be undone: whether it took effect. The operation is then finished instead of undone. */
  settled?(facts: F): Promise<boolean>;
  /** What the step makes serves the operation only: its undo runs however the operation ends. */
  readonly temporary?: true;
}

/** Where operations record themselves; the journal is one. */
export interface Recorder {
  append(entry: { type: string } & JsonObject): Promise<unknown>;
}

export interface OperationRequest {
  readonly verb: string;
  /** What the operation changes: two operations on one target never overlap. */
  readonly target: string;
  readonly actor: Actor;
  /** The input as it may be kept for years: no secrets. */
  readonly input: JsonObject;
}

export interface OperationsOptions {
  readonly recorder: Recorder;
  readonly kinds: Iterable<StepKind<never>>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /**
   * How an undo that fails is tried again before the operation is left for {@link Operations.recover}. Times in
   * milliseconds.
   */
  readonly undoRetry?: UndoRetry;
}

export interface UndoRetry {
  readonly retries: number;
  readonly minTimeout: number;
  readonly maxTimeout: number;
  /** After this time nothing is tried again: somebody waits for the answer. */
  readonly maxRetryTime: number;
}

const defaultUndoRetry: UndoRetry = { retries: 2, minTimeout: 200, maxTimeout: 2000, maxRetryTime: 30_000 };

/** Steps of a running operation are reported through this. */
export interface Running {
  readonly id: string;
  /**
   * Journals the step, does it, and journals that it is done. `facts` is what its undo needs, known before anything is
   * changed.
   */
  step<F extends JsonObject, T>(kind: StepKind<F>, facts: F, act: () => Promise<T>): Promise<T | undefined>;
}

export class Operations {
  readonly #recorder: Recorder;
  readonly #kinds: Map<string, StepKind>;
  readonly #now: () => number;
  readonly #undoRetry: UndoRetry;
  readonly #open = new Map<string, OpenOperation>();
  /** Those whose begin is in the journal. */
  readonly #recorded = new Set<string>();
  /** Those that nobody is working on: left by an earlier process, or not ended yet. */
  readonly #waiting = new Set<string>();
  /** Why those could not be ended, as recorded last: the same reason is not recorded again at every try. */
  readonly #reasons = new Map<string, string>();
  #recovering: Promise<unknown> = Promise.resolve();

  constructor(options: OperationsOptions) {
    this.#recorder = options.recorder;
    this.#kinds = new Map([...options.kinds].map((kind) => [kind.name, kind as unknown as StepKind]));
    this.#now = options.now ?? Date.now;
    this.#undoRetry = options.undoRetry ?? defaultUndoRetry;
  }

  /** Whether any operation is being worked on right now. */
  get active(): boolean {
    return this.#open.size > this.#waiting.size;
  }

  /** Every operation that is running or waits to be taken back. */
  open(): readonly OpenOperation[] {
    return [...this.#open.values()];
  }

  /** Those of them that nobody is working on: for {@link recover}. */
  unfinished(): readonly OpenOperation[] {
    return this.open().filter(({ id }) => this.#waiting.has(id));
  }

  /** What a new journal segment begins with: the operations that the journal knows of and that have not ended. */
  carry(): JsonValue {
    return this.open()
      .filter(({ id }) => this.#recorded.has(id))
      .map((operation) => JSON.parse(JSON.stringify(operation)) as JsonValue);
  }

  /** The operation that holds `target` at the moment. */
  holder(target: string): OpenOperation | undefined {
    return this.open().find((operation) => operation.target === target);
  }

  /** Refuses with `busy` where another operation holds the target. */
  ensureFree(target: string): void {
    const holder = this.holder(target);
    if (holder === undefined) return;
    throw new Failure('busy', {
      what: `"${target}"`,
      why: `"${holder.verb}" by ${holder.actor.name} has been at work on it since ${holder.startedAt}`,
      next: 'wait for it to end; "doctor" shows unfinished operations',
      details: { operation: holder.id },
    });
  }

  /**
   * Runs one operation. The target is held from the start; `prepare` looks whether it can be done and changes nothing,
   * so that a refusal leaves no trace of an operation; `body` does it. When `body` throws, every step that was begun is
   * undone, newest first, and the failure is passed on. The failure is `partial` when that is not possible now (the
   * operation then stays open for {@link recover}), and when what failed came after the step that cannot be undone, so
   * that the change is made.
   */
  async run<P, T>(
    request: OperationRequest,
    prepare: () => Promise<P>,
    body: (operation: Running, prepared: P) => Promise<T>,
  ): Promise<T> {
    this.ensureFree(request.target);
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
        ...whatAndWho(operation),
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
      await this.#takeBack(operation, (kind) => kind.temporary === true);
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
          why: `it was done, but not to the end: ${failure.what}: ${failure.why}`,
          next: '"reconcile" and "doctor" show what is left',
          details: { operation: operation.id },
        },
        error,
      );
    }
  }

  /**
   * Takes over operations that an earlier process left open. They hold their targets until {@link recover} has ended
   * them.
   */
  adopt(operations: Iterable<OpenOperation>): void {
    for (const operation of operations) {
      this.#open.set(operation.id, operation);
      this.#recorded.add(operation.id);
      this.#waiting.add(operation.id);
    }
  }

  /**
   * Ends the operations that wait: finished where the step that cannot be undone took effect, undone otherwise. Returns
   * those that could not be ended now; call again later. Calls at the same time follow one another.
   */
  recover(): Promise<readonly OpenOperation[]> {
    const run = this.#recovering.then(async () => {
      for (const operation of this.unfinished()) await this.#end(operation, undefined).catch(() => undefined);
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
    const known = this.#kinds.get(kind.name);
    if (known === undefined || known !== (kind as unknown as StepKind))
      throw new Error(`step kind "${kind.name}" is not registered`);
    if (operation.steps.some((step) => this.#kinds.get(step.kind)?.settled !== undefined)) {
      throw new Error(`step "${kind.name}" comes after one that cannot be undone`);
    }
    const index = operation.steps.length;
    await this.#recorder.append({
      type: 'step',
      op: operation.id,
      ...whatAndWhoBriefly(operation),
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
      // The program may have failed, hung or been killed after its effect: for a step without undo the host decides.
      // Where it cannot be asked, the end of the operation asks again.
      if (!(await this.#tookEffect(known, facts).catch(() => false))) throw error;
    }
    record.state = 'done';
    const recorded = this.#recorder.append({
      type: 'step-done',
      op: operation.id,
      ...whatAndWhoBriefly(operation),
      step: index,
    });
    // What cannot be undone is not given up for want of this record: the end of the operation says it too.
    await (kind.settled === undefined ? recorded : recorded.catch(() => undefined));
    return result;
  }

  #tookEffect(kind: StepKind, facts: JsonObject): Promise<boolean> {
    return pRetry(async () => (await kind.settled?.(facts)) ?? false, { ...this.#undoRetry, randomize: true });
  }

  /** Whether the operation is past the step that cannot be undone. Once that step counts as undone, it stays so. */
  async #isDone({ steps }: OpenOperation): Promise<boolean> {
    const last = steps.at(-1);
    if (last === undefined || last.state === 'undone') return false;
    const kind = this.#kinds.get(last.kind);
    return kind?.settled !== undefined && this.#tookEffect(kind, last.facts);
  }

  /** Runs the undo of the steps that `concerns` names, newest first, each once. */
  async #takeBack(operation: OpenOperation, concerns: (kind: StepKind) => boolean): Promise<void> {
    for (const [index, step] of [...operation.steps.entries()].reverse()) {
      if (step.state === 'undone') continue;
      const kind = this.#kinds.get(step.kind);
      if (kind === undefined)
        throw new Failure('internal', {
          what: `step "${step.kind}"`,
          why: 'this version does not know how to undo it',
        });
      if (!concerns(kind)) continue;
      await pRetry(() => kind.undo(step.facts), { ...this.#undoRetry, randomize: true });
      step.state = 'undone';
      // For whoever reads the journal: an undo that runs again because this record is missing finds nothing to do.
      await this.#recorder
        .append({ type: 'step-undone', op: operation.id, ...whatAndWhoBriefly(operation), step: index })
        .catch(() => undefined);
    }
  }

  /**
   * Finishes or undoes an operation that cannot go on. Rejects with `partial` where neither is possible now: it then
   * waits.
   */
  async #end(operation: OpenOperation, failure: Failure | undefined): Promise<'undone' | 'finished'> {
    let outcome: 'undone' | 'finished';
    try {
      outcome = (await this.#isDone(operation)) ? 'finished' : 'undone';
      await this.#takeBack(operation, (kind) => outcome === 'undone' || kind.temporary === true);
    } catch (error) {
      this.#waiting.add(operation.id);
      const cause = Failure.from(error);
      await this.#recordReason(operation, cause);
      throw new Failure(
        'partial',
        {
          what: `"${operation.verb} ${operation.target}"`,
          why: `${failure === undefined ? 'it was cut short' : `it failed (${failure.what}: ${failure.why})`}, and could not be taken back: ${cause.what}: ${cause.why}`,
          next: 'it is tried again by itself; "reconcile" shows what differs, "doctor" what is wrong with the host',
          details: { operation: operation.id },
        },
        error,
      );
    }
    // The host is as it should be. Only the journal does not know it where this fails, and it is told later.
    await this.#recordEnd(operation, outcome, failure).catch(() => this.#waiting.add(operation.id));
    return outcome;
  }

  async #recordReason(operation: OpenOperation, cause: Failure): Promise<void> {
    const reason = `${cause.code} ${cause.what}: ${cause.why}`;
    if (this.#reasons.get(operation.id) === reason) return;
    const record = { type: 'undo-failed', op: operation.id, ...whatAndWho(operation), failure: asJson(cause.toData()) };
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
      ...whatAndWho(operation),
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
  }
}

/** What an audit query finds a record of an operation by. */
function whatAndWho({ verb, target, actor }: OpenOperation): { verb: string; target: string; actor: JsonObject } {
  return { verb, target, actor: { ...actor } };
}

/** The same for each of its steps; the operation's own record says more of who it is. */
function whatAndWhoBriefly({ verb, target, actor }: OpenOperation): { verb: string; target: string; actor: string } {
  return { verb, target, actor: actor.name };
}

function asJson(data: FailureData): JsonObject {
  return JSON.parse(JSON.stringify(data)) as JsonObject;
}
