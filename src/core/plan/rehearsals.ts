/** Makes plans, one after the other, so that they keep neither the host nor each other busy. */
import { rm } from 'node:fs/promises';
import { Failure } from '../../domain/failure.ts';
import type { Plan } from '../../domain/results/plan.ts';
import { durationInWords } from '../../domain/values/duration.ts';
import type { PlannedCall } from '../calls/dispatcher.ts';
import type { RehearsalOptions } from './rehearsal.ts';

/** How long a caller waits for a plan, in milliseconds. */
const limitMs = 60_000;

export class Rehearsals {
  readonly #options: RehearsalOptions;
  readonly #limitMs: number;
  /** Who waits for a plan: admins by login, owners by name. Each may wait for one, and so cannot hold up the others. */
  readonly #waiting = new Set<string>();
  #last: Promise<unknown>;

  constructor(options: RehearsalOptions, waitMs = limitMs) {
    this.#options = options;
    this.#limitMs = waitMs;
    // A server that was killed during a rehearsal has left copies of its files.
    this.#last = rm(options.stage, { recursive: true, force: true }).catch(() => undefined);
  }

  /**
   * Resolves with the plan of a call. Rejects with the failure that the call itself would have, `busy` if the caller
   * waits for another plan, `timeout` or `cancelled`.
   */
  async plan(planned: PlannedCall): Promise<Plan> {
    const { actor, signal } = planned.call;
    const who = actor.entryPoint === 'self' ? `self ${actor.name}` : (actor.login ?? actor.name);
    if (this.#waiting.has(who))
      throw new Failure('busy', {
        what: 'the plan',
        why: 'another plan of yours is being made',
        next: 'wait until it ends',
      });
    this.#waiting.add(who);
    const limit = AbortSignal.timeout(this.#limitMs);
    const ended = AbortSignal.any([signal, limit]);
    const made = this.#last.then(async () => {
      // Loads the simulated host.
      const { rehearse } = await import('./rehearsal.ts');
      return rehearse(this.#options, planned, ended);
    });
    this.#last = made.catch(() => undefined).finally(() => this.#waiting.delete(who));
    try {
      return await Promise.race([made, rejection(ended)]);
    } catch (error) {
      throw limit.aborted ? this.#tooLate(error) : error;
    }
  }

  #tooLate(error: unknown): Failure {
    const why = `it was not made within ${durationInWords(this.#limitMs)}`;
    return new Failure('timeout', { what: 'the plan', why, next: 'try again; "doctor" checks the host' }, error);
  }
}

/** Rejects when the signal is aborted. */
function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const cancelled = (): void => reject(new Failure('cancelled', { what: 'the plan', why: 'it was cancelled' }));
    if (signal.aborted) cancelled();
    else signal.addEventListener('abort', cancelled, { once: true });
  });
}
