const defaultMaxProofs = 65_536;

/**
 * The login proofs that were used; each is good once. When the limit is exceeded, the oldest proof of the person with
 * the most proofs is forgotten, so that nobody can push out another person's proofs by logging in again and again.
 */
export class UsedProofs {
  readonly #maxProofs: number;
  /** Proofs by person, the oldest first. */
  readonly #byPerson = new Map<string, Set<string>>();
  #count = 0;

  constructor(maxProofs: number = defaultMaxProofs) {
    this.#maxProofs = maxProofs;
  }

  /** Number of people with at least one remembered proof. */
  get people(): number {
    return this.#byPerson.size;
  }

  has(proof: string): boolean {
    for (const used of this.#byPerson.values()) if (used.has(proof)) return true;
    return false;
  }

  /** Remembers a proof, which must be a new one. */
  add(proof: string, person: string): void {
    const used = this.#byPerson.get(person) ?? new Set<string>();
    this.#byPerson.set(person, used.add(proof));
    if (++this.#count > this.#maxProofs) this.#forgetOne();
  }

  #forgetOne(): void {
    const [person, used] = [...this.#byPerson].reduce((most, next) => (next[1].size > most[1].size ? next : most));
    const [oldest = ''] = used;
    used.delete(oldest);
    if (used.size === 0) this.#byPerson.delete(person);
    this.#count--;
  }
}
