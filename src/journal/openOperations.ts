/** Operations that have not ended, as the journal tells of them: what the next process takes up. */
import type { Actor } from '../domain/actor.ts';
import type { JsonObject } from '../domain/json.ts';

type StepState = 'begun' | 'done' | 'undone';

export interface StepRecord {
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

