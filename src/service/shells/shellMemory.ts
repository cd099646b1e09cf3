/**
 * What a person's shells remember between sessions: the lines they typed, their settings, when they were here last. A
 * small state file; losing it loses comfort and nothing else, so a write that fails is not an error for anybody.
 */
import { Low, Memory } from 'lowdb';
import { z } from 'zod';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { ShellSettings } from '../../domain/events/notice.ts';
import { openState } from '../../journal/jsonState.ts';

/** Lines kept for each person, and the longest that is kept. */
const maxLines = 500;
const maxLineLength = 1000;
/** People remembered; whoever was here longest ago is forgotten first. */
const maxPeople = 1000;

const person = z.object({
  lines: z.array(z.string()),
  leftAt: z.string().nullable(),
  settings: z.object({ plain: z.boolean() }),
});
const schema = z.object({ people: z.record(z.string(), person) });
type State = z.infer<typeof schema>;
export type Remembered = z.infer<typeof person>;

/**
 * What must not be kept: keys in any form, and options whose values are secrets. A line is left out whole, because half
 * of one would run as something else.
 */
const secret =
  /ssh-(rsa|dss|ed25519)|ecdsa-sha2|sk-(ssh|ecdsa)|PRIVATE KEY|--ssh-key|passw(or)?d|token|secret|[A-Za-z0-9+/=]{60,}/i;

export class ShellMemory {
  readonly #db: Low<State>;
  #writing: Promise<unknown> = Promise.resolve();
  #waiting = false;

  private constructor(db: Low<State>) {
    this.#db = db;
  }

  /**
   * A file that cannot be understood is left as it is, `onTrouble` is told, and what is remembered lasts as long as
   * this process.
   */
  static async open(path: string, onTrouble: (failure: Failure) => void): Promise<ShellMemory> {
    try {
      return new ShellMemory(await openState<State>(path, schema, { people: {} }));
    } catch (error) {
      onTrouble(Failure.from(error));
      return new ShellMemory(new Low<State>(new Memory<State>(), { people: {} }));
    }
  }

  of(actor: Pick<Actor, 'entryPoint' | 'name'>): Remembered {
    return this.#db.data.people[keyOf(actor)] ?? { lines: [], leftAt: null, settings: { plain: false } };
  }

  /** Remembers a typed line, unless it may hold a secret; a line that is typed again moves to the end. */
  remember(actor: Actor, line: string): void {
    const text = line.trim();
    if (text === '' || text.length > maxLineLength || secret.test(text) || /[\p{Cc}]/u.test(text)) return;
    const memory = this.of(actor);
    this.#put(actor, { ...memory, lines: [...memory.lines.filter((other) => other !== text), text].slice(-maxLines) });
  }

  set(actor: Actor, settings: ShellSettings): void {
    this.#put(actor, { ...this.of(actor), settings });
  }

  left(actor: Actor, at: Date): void {
    this.#put(actor, { ...this.of(actor), leftAt: at.toISOString() });
  }

  /** Resolves when everything so far is written, or could not be. */
  async settled(): Promise<void> {
    while (this.#waiting) await this.#writing;
    await this.#writing;
  }

  #put(actor: Actor, memory: Remembered): void {
    const key = keyOf(actor);
    const { [key]: _, ...others } = this.#db.data.people;
    // Last in, last out: the order of keys is the order of use.
    const kept = Object.entries(others).slice(-(maxPeople - 1));
    this.#db.data = { people: { ...Object.fromEntries(kept), [key]: memory } };
    if (this.#waiting) return;
    this.#waiting = true;
    this.#writing = this.#writing.then(async () => {
      this.#waiting = false;
      await this.#db.write().catch(() => undefined);
    });
  }
}

function keyOf({ entryPoint, name }: Pick<Actor, 'entryPoint' | 'name'>): string {
  return `${entryPoint}:${name}`;
}
