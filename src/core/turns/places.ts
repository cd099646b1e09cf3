/**
 * Places for what people have open at the same time: running calls, logins and shells. Each costs memory or keeps a
 * host program running, so one person gets a part of them, over all their logins, and owners together cannot take those
 * that are kept for admins.
 */
import { personOf, type Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';

export interface PlaceLimits {
  readonly all: number;
  /** How many of them the owners at self@ may have together. */
  readonly ofOwners: number;
  readonly perAdmin: number;
  readonly perOwner: number;
}

/** How a failure names what has no place. */
interface PlaceWords {
  /** Follows a number: "commands running". */
  readonly own: string;
  readonly next: string;
  readonly all: string;
}

export class Places {
  readonly #limits: PlaceLimits;
  readonly #words: PlaceWords;
  readonly #byPerson = new Map<string, number>();
  #all = 0;
  #ofOwners = 0;

  constructor(limits: PlaceLimits, words: PlaceWords) {
    this.#limits = limits;
    this.#words = words;
  }

  /** Takes a place, and returns a function that gives it back. Throws `busy`. Root on the host always has one. */
  take(actor: Pick<Actor, 'name' | 'entryPoint'>): () => void {
    const { entryPoint } = actor;
    if (entryPoint === 'local') return () => undefined;
    const isOwner = entryPoint === 'self';
    const { all, ofOwners, perAdmin, perOwner } = this.#limits;
    const person = personOf(actor);
    const own = this.#byPerson.get(person) ?? 0;
    if (own >= (isOwner ? perOwner : perAdmin)) throw busy(`you have ${own} ${this.#words.own}`, this.#words.next);
    if (this.#all >= all || (isOwner && this.#ofOwners >= ofOwners))
      throw busy(this.#words.all, 'try again in a moment');
    this.#count(person, isOwner, 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#count(person, isOwner, -1);
      isTaken = false;
    };
  }

  #count(person: string, isOwner: boolean, change: 1 | -1): void {
    this.#all += change;
    if (isOwner) this.#ofOwners += change;
    const own = (this.#byPerson.get(person) ?? 0) + change;
    if (own === 0) this.#byPerson.delete(person);
    else this.#byPerson.set(person, own);
  }
}

const callLimits: PlaceLimits = { all: 1000, ofOwners: 800, perAdmin: 100, perOwner: 100 };
/** A connection costs the front some 100 KB. CI may well open fifty at once. */
export const loginLimits: PlaceLimits = { all: 4000, ofOwners: 3000, perAdmin: 256, perOwner: 64 };
const shellLimits: PlaceLimits = { all: 2000, ofOwners: 1500, perAdmin: 64, perOwner: 32 };

export function callPlaces(limits = callLimits): Places {
  return new Places(limits, {
    own: 'commands running',
    next: 'end some of them, in all your sessions',
    all: 'too many commands are running',
  });
}

export function loginPlaces(limits = loginLimits): Places {
  return new Places(limits, {
    own: 'logins open',
    next: 'close some of your connections, and log in again',
    all: 'too many logins are open',
  });
}

export function shellPlaces(limits = shellLimits): Places {
  return new Places(limits, {
    own: 'shells open',
    next: 'close some of them, or run a command without a shell',
    all: 'too many shells are open',
  });
}

function busy(why: string, next: string): Failure {
  return new Failure('busy', { what: 'the server', why, next });
}
