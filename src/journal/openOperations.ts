/** Reads the operations that have not ended from the journal, for the next process to adopt. */
import type { Actor } from '../domain/access/actor.ts';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import type { StepRecord } from './undo/stepKind.ts';

/** Everything needed to undo an unfinished operation: kept in memory, and carried over to each new segment. */
export interface OpenOperation {
  readonly id: string;
  readonly verb: string;
  readonly target: string;
  readonly actor: Actor;
  readonly startedAt: string;
  readonly steps: StepRecord[];
  /** Set when its change is made, so that only what the operation itself needed is still to be undone. */
  isMade?: true;
}

/**
 * Rebuilds the open operations from a segment: from those that its first record carries over, and from the records
 * after it. Ignores other record types.
 */
export class OpenOperationsReader {
  readonly #open = new Map<string, OpenOperation>();

  read(record: JsonObject): void {
    const id = record['op'];
    if (record['type'] === 'segment') {
      const carried = record['carry'];
      if (Array.isArray(carried))
        for (const operation of carried as unknown as OpenOperation[]) this.#open.set(operation.id, operation);
      return;
    }
    if (typeof id !== 'string') return;
    if (record['type'] === 'operation') {
      this.#open.set(id, {
        id,
        verb: text(record['verb']),
        target: text(record['target']),
        actor: record['actor'] as unknown as Actor,
        startedAt: text(record['startedAt']),
        steps: [],
      });
      return;
    }
    const operation = this.#open.get(id);
    if (operation === undefined) return;
    const step = operation.steps[Number(record['step'])];
    switch (record['type']) {
      case 'step':
        operation.steps.push({ kind: text(record['kind']), facts: record['facts'] as JsonObject, state: 'begun' });
        break;
      case 'step-done':
        if (step !== undefined) step.state = 'done';
        break;
      case 'step-undone':
        if (step !== undefined) step.state = 'undone';
        break;
      case 'operation-made':
        operation.isMade = true;
        break;
      case 'operation-end':
        this.#open.delete(id);
        break;
      default:
        break;
    }
  }

  operations(): OpenOperation[] {
    return [...this.#open.values()];
  }
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
