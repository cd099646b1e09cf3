/**
 * The places for running calls. Each call may keep a host program running, so one person gets a part of them, over all
 * their logins, and owners together cannot take those that are kept for admins.
 */
import { personOf, type Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';

export interface CallLimits {
  readonly calls: number;
  /** How many of them the owners at self@ may have together. */
  readonly callsOfOwners: number;
  readonly callsPerPerson: number;
}

const defaultLimits: CallLimits = { calls: 1000, callsOfOwners: 800, callsPerPerson: 100 };

export class CallPlaces {
  readonly #limits: CallLimits;
  readonly #byPerson = new Map<string, number>();
  #calls = 0;
  #callsOfOwners = 0;

  constructor(limits: CallLimits = defaultLimits) {
    this.#limits = limits;
  }

  /** Takes a place, and returns a function that gives it back. Throws `busy`. Root on the host always has one. */
  take(actor: Pick<Actor, 'name' | 'entryPoint'>): () => void {
    const { entryPoint } = actor;
    if (entryPoint === 'local') return () => undefined;
    const { calls, callsOfOwners, callsPerPerson } = this.#limits;
    const person = personOf(actor);
    const own = this.#byPerson.get(person) ?? 0;
    if (own >= callsPerPerson) throw busy(`you have ${own} commands running`, 'end some of them, in all your sessions');
    if (this.#calls >= calls || (entryPoint === 'self' && this.#callsOfOwners >= callsOfOwners))
      throw busy('too many commands are running', 'try again in a moment');
    this.#count(person, entryPoint, 1);
    return () => this.#count(person, entryPoint, -1);
  }

  #count(person: string, entryPoint: Actor['entryPoint'], change: 1 | -1): void {
    this.#calls += change;
    if (entryPoint === 'self') this.#callsOfOwners += change;
    const own = (this.#byPerson.get(person) ?? 0) + change;
    if (own === 0) this.#byPerson.delete(person);
    else this.#byPerson.set(person, own);
  }
}

function busy(why: string, next: string): Failure {
  return new Failure('busy', { what: 'the server', why, next });
}
