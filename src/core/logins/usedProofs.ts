/**
 * Which proofs of a login were used: each is good once. There is room for so many; of more, the oldest of whoever has
 * used the most is forgotten. So nobody can make core forget the proof of somebody else by logging in again and again.
 */
const defaultMost = 65_536;

export class UsedProofs {
  readonly #most: number;
  /** Who it was → theirs, the oldest first. */
  readonly #byPerson = new Map<string, Set<string>>();
  #count = 0;

  constructor(most: number = defaultMost) {
    this.#most = most;
  }

  /** People of whom any are known. */
  get people(): number {
    return this.#byPerson.size;
  }

  has(proof: string): boolean {
    for (const used of this.#byPerson.values()) if (used.has(proof)) return true;
    return false;
  }

  /** One that is not known yet. */
  add(proof: string, person: string): void {
    const used = this.#byPerson.get(person) ?? new Set<string>();
    this.#byPerson.set(person, used.add(proof));
    if (++this.#count > this.#most) this.#forget();
  }

  #forget(): void {
    const [person, used] = [...this.#byPerson].reduce((most, next) => (next[1].size > most[1].size ? next : most));
    const [oldest = ''] = used;
    used.delete(oldest);
    if (used.size === 0) this.#byPerson.delete(person);
    this.#count--;
  }
}
