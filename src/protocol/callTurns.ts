/**
 * Shares core among people: their calls begin in turns, so that a hundred commands of one person, or of fifty, do not
 * keep the command of another waiting.
 */
import PQueue from 'p-queue';
import { personOf } from '../domain/access/actor.ts';
import type { CoreClient } from './client.ts';

/** How many calls are begun and neither answered nor slow. Core and its callers have a thread each, so few suffice. */
const atOnce = 4;
/** After this a call waits for the host or its caller rather than for a thread, and holds no place. In milliseconds. */
const slowMs = 25;
/** What a call is expected to cost until it has been made, in milliseconds. */
const expectedMs = 1;

/**
 * Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996): a call is marked with the time at which it would begin
 * if its person had an equal share, and the smallest mark goes first. Who has made few calls goes before those who have
 * had more than their share.
 */
export class CallTurns {
  readonly #slowAfterMs: number;
  readonly #queue = new PQueue({ concurrency: atOnce });
  /** The mark of the newest call that has begun. */
  #nowMs = 0;
  /** For each person, the mark of their next call. */
  readonly #nextMs = new Map<string, number>();

  /** After `slowAfterMs` milliseconds a call holds no place any more. */
  constructor(slowAfterMs = slowMs) {
    this.#slowAfterMs = slowAfterMs;
    this.#queue.addEventListener('idle', () => this.#nextMs.clear());
  }

  /** Makes a call at its person's turn. Resolves or rejects as the call does. */
  run<T>(person: string, work: () => Promise<T>): Promise<T> {
    const markMs = Math.max(this.#nowMs, this.#nextMs.get(person) ?? 0);
    this.#charge(person, markMs, expectedMs);
    return new Promise((resolve) => {
      const turn = async (): Promise<void> => {
        this.#nowMs = Math.max(this.#nowMs, markMs);
        const beganMs = performance.now();
        const answer = work();
        resolve(answer);
        await answeredOrSlow(answer, this.#slowAfterMs);
        this.#charge(person, this.#nextMs.get(person) ?? markMs, performance.now() - beganMs - expectedMs);
      };
      void this.#queue.add(turn, { priority: -markMs });
    });
  }

  #charge(person: string, fromMs: number, costMs: number): void {
    this.#nextMs.set(person, fromMs + costMs);
  }
}

/** Resolves when the caller has got the answer and has done what it does with it at once, or the call is slow. */
function answeredOrSlow(answer: Promise<unknown>, slowAfterMs: number): Promise<void> {
  return new Promise((resolve) => {
    const slow = setTimeout(resolve, slowAfterMs);
    const answered = (): void => {
      clearTimeout(slow);
      setImmediate(resolve);
    };
    answer.then(answered, answered);
  });
}

/** Returns the same client, whose callers take turns. */
export function inTurns(core: CoreClient): CoreClient {
  const turns = new CallTurns();
  return {
    greeting: core.greeting,
    call: (call, ...rest) => turns.run(personOf(call.actor), () => core.call(call, ...rest)),
  };
}
