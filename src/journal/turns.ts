/**
 * Whose turn it is on a target. An admin's change waits for an owner's that runs, and meanwhile the owner begins no
 * other: one who restarts without end would keep admins from stopping or deleting the container.
 */
import { EventEmitter, once } from 'node:events';
import { actorTitle } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import type { OpenOperation } from './openOperations.ts';

/** How long an admin's change waits, in milliseconds: a clean shutdown that hangs, and its undo. */
const waitMs = 90_000;

export class Turns {
  readonly #ends = new EventEmitter().setMaxListeners(0);
  readonly #awaited = new Map<string, number>();

  /** Reports whether an admin's change waits for the target. */
  isAwaited(target: string): boolean {
    return this.#awaited.has(target);
  }

  /** Resolves when the operation `id` on the target runs no more, and after {@link waitMs} at the latest. */
  async after(id: string, target: string, withinMs = waitMs): Promise<void> {
    this.#awaited.set(target, (this.#awaited.get(target) ?? 0) + 1);
    try {
      await once(this.#ends, id, { signal: AbortSignal.timeout(withinMs) }).catch(() => undefined);
    } finally {
      const left = (this.#awaited.get(target) ?? 1) - 1;
      if (left === 0) this.#awaited.delete(target);
      else this.#awaited.set(target, left);
    }
  }

  /** Notes that an operation has ended, or does not run any more. */
  ended(id: string): void {
    this.#ends.emit(id);
  }
}

/** Returns the failure of a change whose target another operation holds. */
export function busy(target: string, { id, verb, actor, startedAt }: OpenOperation): Failure {
  return new Failure('busy', {
    what: `"${target}"`,
    why: `"${verb}" by ${actorTitle(actor)} has been in progress since ${startedAt}`,
    next: 'wait until it ends; "doctor" shows unfinished operations',
    details: { operation: id },
  });
}

/** Returns the failure of an owner's change for which an admin's does not wait. */
export function aboutToBegin(target: string): Failure {
  const why = 'a change by an admin is about to begin';
  return new Failure('busy', { what: `"${target}"`, why, next: 'wait until it ends' });
}

/** Returns why an operation that could not be undone has ended all the same. */
export function takenOver(left: OpenOperation, by: OpenOperation): Failure {
  return new Failure('partial', {
    what: `"${left.verb} ${left.target}"`,
    why: `it could be neither completed nor undone, and "${by.verb}" by ${actorTitle(by.actor)} has taken over`,
    next: '"reconcile" shows what differs',
    details: { operation: by.id },
  });
}
