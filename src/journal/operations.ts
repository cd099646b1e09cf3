/**
 * Changes as operations: a sequence of steps, each journaled before it begins and after it is done, each with an undo that takes
 * back only what this operation did.
 *
 * The rule that makes "wholly changed or wholly as before" possible: at most one step of an operation cannot be undone, and it is the
 * last one. Whether such a step took effect is asked of the host (`settled`), never concluded from how its program ended.
 */
import pRetry from 'p-retry';
import { ulid } from 'ulid';
import { Failure, type FailureData } from '../domain/failure.ts';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import type { Actor } from '../domain/actor.ts';

/** How one kind of step is taken back, by name, so that it can be done after a restart from the journal alone. */
export interface StepKind<F extends JsonObject = JsonObject> {
  readonly name: string;
  /**
   * Takes the step back, whether it took effect, did not, or did in part: it looks at the host first and does nothing where there
   * is nothing of this operation. Rejects where it cannot find out.
   */
  undo(facts: F): Promise<void>;
  /** For a step that cannot be undone: whether it took effect. The operation is then finished instead of undone. */
  settled?(facts: F): Promise<boolean>;
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


type StepState = 'begun' | 'done' | 'undone';

interface StepRecord {
  readonly kind: string;
  readonly facts: JsonObject;
  state: StepState;
}

/** What must be known of an unfinished operation to take it back: kept in memory, and carried over when the journal rotates. */
export interface OpenOperation {
  readonly id: string;
  readonly verb: string;
  readonly target: string;
  readonly actor: Actor;
  readonly startedAt: string;
  readonly steps: StepRecord[];
}

export interface OperationsOptions {
  readonly recorder: Recorder;
  readonly kinds: Iterable<StepKind<never>>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** How often an undo that fails is tried again before the operation is left for later. */
  readonly undoRetries?: number;
}

/** Steps of a running operation are reported through this. */
export interface Running {
  readonly id: string;
  /**
   * Journals the step, does it, and journals that it is done. `facts` is what its undo needs, known before anything is changed.
   */
  step<F extends JsonObject, T>(kind: StepKind<F>, facts: F, act: () => Promise<T>): Promise<T | undefined>;
}

export class Operations {
  readonly #recorder: Recorder;
  readonly #kinds: Map<string, StepKind>;
  readonly #now: () => number;
  readonly #undoRetries: number;
  readonly #open = new Map<string, OpenOperation>();
  /** Those whose begin is in the journal. */
  readonly #recorded = new Set<string>();
  /** Those that nobody is working on: left by an earlier process, or not undone yet. */
  readonly #waiting = new Set<string>();
  #recovering: Promise<unknown> = Promise.resolve();

  constructor(options: OperationsOptions) {
    this.#recorder = options.recorder;
    this.#kinds = new Map([...options.kinds].map((kind) => [kind.name, kind as unknown as StepKind]));
    this.#now = options.now ?? Date.now;
    this.#undoRetries = options.undoRetries ?? 2;
  }

  /** Whether any operation is being worked on right now. */
  get active(): boolean {
    return this.#open.size > this.#waiting.size;
  }

  /** Every operation that is running or waits to be taken back. */
  open(): readonly OpenOperation[] {
    return [...this.#open.values()];
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
   * Runs one operation. The target is held from the start; `prepare` looks whether it can be done and changes nothing, so that a
   * refusal leaves no trace of an operation; `body` does it. When `body` throws, every step that was begun is undone, newest first, and
   * the failure is passed on; when a step cannot be undone now, the failure is `partial` and the operation stays open for {@link recover}.
   */
  async run<P, T>(request: OperationRequest, prepare: () => Promise<P>, body: (operation: Running, prepared: P) => Promise<T>): Promise<T> {
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
        verb: request.verb,
        target: request.target,
        actor: { ...request.actor } as JsonObject,
        input: request.input,
        startedAt: operation.startedAt,
      });
      this.#recorded.add(operation.id);
    } catch (error) {
      this.#forget(operation.id);
      throw error;
    }
    try {
      const running: Running = { id: operation.id, step: (kind, facts, act) => this.#step(operation, kind, facts, act) };
      const result = await body(running, prepared);
      await this.#recorder.append({ type: 'operation-end', op: operation.id, outcome: 'done', durationMs: this.#now() - startedMs });
      this.#forget(operation.id);
      return result;
    } catch (error) {
      const failure = Failure.from(error);
      await this.#undo(operation, failure);
      throw failure;
    }
  }

  /** Takes over operations that an earlier process left open. They hold their targets until {@link recover} has ended them. */
  adopt(operations: Iterable<OpenOperation>): void {
    for (const operation of operations) {
      this.#open.set(operation.id, operation);
      this.#recorded.add(operation.id);
      this.#waiting.add(operation.id);
    }
  }

  /**
   * Ends the operations that wait: finished where the step that cannot be undone took effect, undone otherwise. Returns those that could
   * not be ended now; call again later. Calls at the same time follow one another.
   */
  recover(): Promise<OpenOperation[]> {
    const run = this.#recovering.then(async () => {
      for (const operation of this.open().filter(({ id }) => this.#waiting.has(id))) await this.#undo(operation, undefined).catch(() => undefined);
      return this.open().filter(({ id }) => this.#waiting.has(id));
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
    if (this.#kinds.get(kind.name) !== (kind as unknown as StepKind)) throw new Error(`step kind "${kind.name}" is not registered`);
    const index = operation.steps.length;
    await this.#recorder.append({ type: 'step', op: operation.id, step: index, kind: kind.name, facts });
    const record: StepRecord = { kind: kind.name, facts, state: 'begun' };
    operation.steps.push(record);
    let result: T | undefined;
    try {
      result = await act();
    } catch (error) {
      // The program may have failed, hung or been killed after its effect: for a step without undo the host decides.
      if (!(await kind.settled?.(facts))) throw error;
    }
    record.state = 'done';
    await this.#recorder.append({ type: 'step-done', op: operation.id, step: index });
    return result;
  }

  async #undo(operation: OpenOperation, failure: Failure | undefined): Promise<void> {
    const last = operation.steps.at(-1);
    const lastKind = last === undefined ? undefined : this.#kinds.get(last.kind);
    try {
      if (last !== undefined && last.state !== 'undone' && lastKind?.settled !== undefined && (await lastKind.settled(last.facts))) {
        await this.#end(operation, 'finished', failure);
        return;
      }
      for (const [index, step] of [...operation.steps.entries()].reverse()) {
        if (step.state === 'undone') continue;
        const kind = this.#kinds.get(step.kind);
        if (kind === undefined) throw new Failure('internal', { what: `step "${step.kind}"`, why: 'this version does not know how to undo it' });
        await pRetry(() => kind.undo(step.facts), { retries: this.#undoRetries, minTimeout: 200, maxTimeout: 2000, randomize: true });
        step.state = 'undone';
        await this.#recorder.append({ type: 'step-undone', op: operation.id, step: index });
      }
      await this.#end(operation, 'undone', failure);
    } catch (error) {
      this.#waiting.add(operation.id);
      const cause = Failure.from(error);
      await this.#recorder
        .append({ type: 'undo-failed', op: operation.id, failure: asJson(cause.toData()) })
        .catch(() => undefined);
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
  }

  async #end(operation: OpenOperation, outcome: 'undone' | 'finished', failure: Failure | undefined): Promise<void> {
    await this.#recorder.append({
      type: 'operation-end',
      op: operation.id,
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
  }
}

function asJson(data: FailureData): JsonObject {
  return JSON.parse(JSON.stringify(data)) as JsonObject;
}

/**
 * Rebuilds the open operations from journal records: those carried over at the head of a segment, changed by the records after it.
 * Unknown record types are passed over.
 */
export class OpenOperationsReader {
  readonly #open = new Map<string, OpenOperation>();

  read(record: JsonObject): void {
    const id = record['op'];
    if (record['type'] === 'segment') {
      const carried = record['carry'];
      if (Array.isArray(carried)) for (const item of carried) this.#open.set((item as unknown as OpenOperation).id, item as unknown as OpenOperation);
      return;
    }
    if (typeof id !== 'string') return;
    if (record['type'] === 'operation') {
      this.#open.set(id, {
        id,
        verb: String(record['verb']),
        target: String(record['target']),
        actor: record['actor'] as unknown as Actor,
        startedAt: String(record['startedAt']),
        steps: [],
      });
      return;
    }
    const operation = this.#open.get(id);
    if (operation === undefined) return;
    const step = operation.steps[Number(record['step'])];
    switch (record['type']) {
      case 'step':
        operation.steps.push({ kind: String(record['kind']), facts: record['facts'] as JsonObject, state: 'begun' });
        break;
      case 'step-done':
        if (step !== undefined) step.state = 'done';
        break;
      case 'step-undone':
        if (step !== undefined) step.state = 'undone';
        break;
      case 'operation-end':
        this.#open.delete(id);
        break;
    }
  }

  operations(): OpenOperation[] {
    return [...this.#open.values()];
  }
}

