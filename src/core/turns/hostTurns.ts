/**
 * Shares the host among people: what their calls start there waits for its turn, so that a hundred commands of one
 * person do not keep everybody else waiting.
 */
import PQueue from 'p-queue';
import { personOf } from '../../domain/access/actor.ts';
import { presentCaller } from '../../domain/access/caller.ts';
import type { IncusReads } from '../../host/incus/reads.ts';
import type { Runner } from '../../host/runner.ts';

export interface TurnLimits {
  readonly atOnce: number;
  /** How many of them the owners at self@ may have together. */
  readonly ofOwners: number;
  readonly perPerson: number;
}

/** A program of a change may take minutes, and it is a process of 20 to 40 MB. */
const programLimits: TurnLimits = { atOnce: 64, ofOwners: 48, perPerson: 20 };
/** Incus answers eight at once (see SocketReads), each within milliseconds. */
const readLimits: TurnLimits = { atOnce: 8, ofOwners: 6, perPerson: 4 };

/**
 * Turns in the order of their coming, of which each person has a few at a time. A person who wants many at once
 * therefore stands before others with no more than those few.
 */
export class HostTurns {
  readonly #perPerson: number;
  readonly #all: PQueue;
  readonly #ofOwners: PQueue;
  readonly #byPerson = new Map<string, PQueue>();

  constructor({ atOnce, ofOwners, perPerson }: TurnLimits) {
    this.#perPerson = perPerson;
    this.#all = new PQueue({ concurrency: atOnce });
    this.#ofOwners = new PQueue({ concurrency: ofOwners });
  }

  /**
   * Runs `work` at the caller's turn. What no call began, such as upkeep, what others wait for
   * (`domain/access/caller.ts`), and root on the host do not wait. Work whose
   * signal is aborted begins at once, and is expected to see that.
   */
  async run<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const caller = presentCaller();
    if (caller === undefined || caller.entryPoint === 'local' || signal?.aborted === true) return work();
    const waiting = new AbortController();
    const leave = (): void => waiting.abort();
    signal?.addEventListener('abort', leave, { once: true });
    let begun: Promise<T> | undefined;
    const begin = (): Promise<T> => {
      signal?.removeEventListener('abort', leave);
      begun = work();
      return begun;
    };
    const options = { signal: waiting.signal };
    const inAll = (): Promise<T> => this.#all.add(begin, options);
    const ofOwners = (): Promise<T> => this.#ofOwners.add(inAll, options);
    try {
      return await this.#ownQueue(personOf(caller)).add(caller.entryPoint === 'self' ? ofOwners : inAll, options);
    } catch (error) {
      if (!waiting.signal.aborted) throw error;
      return await (begun ?? work());
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  #ownQueue(person: string): PQueue {
    const known = this.#byPerson.get(person);
    if (known !== undefined) return known;
    const queue = new PQueue({ concurrency: this.#perPerson });
    this.#byPerson.set(person, queue);
    queue.addEventListener('idle', () => this.#byPerson.delete(person), { once: true });
    return queue;
  }
}

/** Returns the same host, on which people take turns. */
export function inTurns<T extends { readonly runner: Runner; readonly reads: IncusReads }>(host: T): T {
  const programs = new HostTurns(programLimits);
  const answers = new HostTurns(readLimits);
  const { runner, reads } = host;
  return {
    ...host,
    runner: { run: (command) => programs.run(command.signal, () => runner.run(command)) },
    reads: {
      document: (path, options) => answers.run(options.signal, () => reads.document(path, options)),
      text: (path, options) => answers.run(options.signal, () => reads.text(path, options)),
    },
  };
}
