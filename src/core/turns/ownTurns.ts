/** Lets the calls of one person that take long run one after another, so that they cost no more than one at a time. */
import { personOf, type Actor } from '../../domain/access/actor.ts';

export class OwnTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` after what this person began before. Rejects with the signal's reason if it is aborted meanwhile. */
  async run<T>(actor: Pick<Actor, 'name' | 'entryPoint'>, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const person = personOf(actor);
    const result = (this.#last.get(person) ?? Promise.resolve()).then(() => {
      signal.throwIfAborted();
      return work();
    });
    const ended = result.catch(() => undefined);
    this.#last.set(person, ended);
    try {
      return await result;
    } finally {
      if (this.#last.get(person) === ended) this.#last.delete(person);
    }
  }
}
