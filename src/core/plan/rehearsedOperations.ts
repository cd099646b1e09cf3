/** The operations of a rehearsal: records become notes of the plan, and at its end every step is undone. */
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { PlannedCommand } from '../../domain/results/plan.ts';
import type { OpenOperation } from '../../journal/openOperations.ts';
import { Operations, type Recorder } from '../../journal/operations.ts';
import type { StepKind } from '../../journal/undo/stepKind.ts';
import type { PlanNotes } from './notes.ts';

interface RehearsedStep {
  readonly kind: string;
  readonly facts: JsonObject;
}

interface RehearsedOperation {
  readonly id: string;
  readonly steps: RehearsedStep[];
  /** The state of the host before the step that cannot be undone; without one, at the end. */
  state: string | undefined;
}

export interface RehearsedOperationsOptions {
  readonly kinds: Iterable<StepKind<never>>;
  readonly notes: PlanNotes;
  /** The file of the simulated host. */
  readonly stateFile: string;
  /** Where copies of that file go. */
  readonly folder: string;
}

/** The steps of a simulated host that is in some state, with which an undo runs, and what it has run. */
export interface UndoHost {
  readonly kinds: Iterable<StepKind<never>>;
  /** Returns the commands since the last call. */
  taken(): PlannedCommand[];
}

export class RehearsedOperations {
  readonly operations: Operations;
  readonly #options: RehearsedOperationsOptions;
  readonly #kinds: ReadonlyMap<string, StepKind<never>>;
  readonly #rehearsed = new Map<string, RehearsedOperation>();
  readonly #adopted = new Set<string>();

  constructor(options: RehearsedOperationsOptions) {
    this.#options = options;
    this.#kinds = byName(options.kinds);
    const recorder: Recorder = {
      append: (entry) => {
        this.#note(entry);
        return Promise.resolve();
      },
    };
    this.operations = new Operations({ recorder, kinds: options.kinds });
  }

  /** Takes over operations that wait to be ended, which a verb may do. */
  adopt(operations: readonly OpenOperation[]): void {
    for (const { id } of operations) this.#adopted.add(id);
    this.operations.adopt(structuredClone(operations));
  }

  #note(entry: { readonly type: string } & JsonObject): void {
    const { notes } = this.#options;
    const id = text(entry['op']);
    if (this.#adopted.has(id)) {
      if (entry.type === 'operation-end') notes.outsideWas('Undoing what was left unfinished');
      return;
    }
    const operation = this.#rehearsed.get(id) ?? { id, steps: [], state: undefined };
    this.#rehearsed.set(id, operation);
    switch (entry.type) {
      case 'step': {
        const kind = text(entry['kind']);
        if (this.#kinds.get(kind)?.settled !== undefined) this.#keepState(operation);
        notes.stepBegan(kind, { operation: id, index: operation.steps.length });
        operation.steps.push({ kind, facts: entry['facts'] as JsonObject });
        break;
      }
      case 'step-done':
        notes.stepEnded();
        break;
      case 'operation-end':
        notes.stepEnded();
        if (operation.state === undefined) this.#keepState(operation);
        break;
    }
  }

  /** Keeps the state of the host as it is now, unless it is still a new one, which has no file. */
  #keepState(operation: RehearsedOperation): void {
    const { stateFile, folder } = this.#options;
    operation.state = join(folder, `undo-${operation.id}.json`);
    if (existsSync(stateFile)) copyFileSync(stateFile, operation.state);
  }

  /**
   * Undoes the steps of every operation on a host that `open` makes of a state, newest first. Returns the commands by
   * operation and step; null for a step that cannot be undone.
   */
  async undone(
    open: (stateFile: string) => UndoHost,
  ): Promise<ReadonlyMap<string, readonly (readonly PlannedCommand[] | null)[]>> {
    const found = new Map<string, (PlannedCommand[] | null)[]>();
    for (const { id, steps, state } of this.#rehearsed.values()) {
      if (state === undefined) continue;
      const host = open(state);
      const kinds = byName(host.kinds);
      const undone: (PlannedCommand[] | null)[] = [];
      for (const [index, step] of [...steps.entries()].reverse()) {
        const kind = kinds.get(step.kind);
        undone[index] = kind?.settled === undefined ? await this.#undo(kind, step, host) : null;
      }
      found.set(id, undone);
    }
    return found;
  }

  async #undo(
    kind: StepKind<never> | undefined,
    step: RehearsedStep,
    host: UndoHost,
  ): Promise<PlannedCommand[] | null> {
    try {
      await kind?.undo(step.facts as never);
      return host.taken();
    } catch (error) {
      const { what, why } = Failure.from(error);
      this.#options.notes.texts.push(`It is not known what undoes ${step.kind}: ${what}: ${why}`);
      host.taken();
      return null;
    }
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function byName(kinds: Iterable<StepKind<never>>): ReadonlyMap<string, StepKind<never>> {
  return new Map([...kinds].map((kind) => [kind.name, kind]));
}
