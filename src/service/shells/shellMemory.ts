/**
 * What the shells remember of each person: typed lines, settings, and the end of the last visit. The state file is a
 * convenience, so a failed write is not reported.
 */
import { Low, Memory } from 'lowdb';
import * as z from 'zod';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { ShellSettings } from '../../domain/events/notice.ts';
import { openState } from '../../journal/jsonState.ts';

/** Maximum number of lines kept for each person. */
const maxLines = 500;
/** Maximum length of a line that is kept, in UTF-16 code units. */
const maxLineLength = 1000;
/** Maximum number of people remembered; the one whose last visit is longest ago is forgotten first. */
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
 * Matches lines that must not be kept: keys in any form, and options whose values are secrets. The whole line is left
 * out, because a part of it would run as a different command.
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
   * Opens the state file. An unreadable file is left alone and reported to `onTrouble`; the memory then lasts only as
   * long as this process.
   */
  static async open(path: string, onTrouble: (failure: Failure) => void): Promise<ShellMemory> {
    try {
      const db = await openState<State>(path, schema, { people: {} });
      db.data = withoutNamedOwners(db.data);
      return new ShellMemory(db);
    } catch (error) {
      onTrouble(Failure.from(error));
      return new ShellMemory(new Low<State>(new Memory<State>(), { people: {} }));
    }
  }

  of(actor: Person): Remembered {
    return this.#db.data.people[keyOf(actor)] ?? { lines: [], leftAt: null, settings: { plain: false } };
  }

  /** Remembers a typed line unless it may hold a secret. A repeated line moves to the end. */
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

  /** Resolves when all pending writes have succeeded or failed. */
  async settled(): Promise<void> {
    while (this.#waiting) await this.#writing;
    await this.#writing;
  }

  #put(actor: Actor, memory: Remembered): void {
    const key = keyOf(actor);
    const { [key]: _, ...others } = this.#db.data.people;
    // The order of keys is the order of use.
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

type Person = Pick<Actor, 'entryPoint' | 'name' | 'fingerprint'>;

const atSelf = 'self:';
/** What every fingerprint begins with, and no name of a container. */
const fingerprintMark = 'SHA256:';

/**
 * Returns the name under which a person is remembered. A login at self@ has the name of its key's oldest container,
 * which keys of other people may open too, so there the key is the person.
 */
function keyOf({ entryPoint, name, fingerprint = name }: Person): string {
  return entryPoint === 'self' ? `${atSelf}${fingerprint}` : `${entryPoint}:${name}`;
}

/** Forgets what earlier versions kept of owners under the name of a container. */
function withoutNamedOwners({ people }: State): State {
  const kept = Object.entries(people).filter(
    ([key]) => !key.startsWith(atSelf) || key.startsWith(`${atSelf}${fingerprintMark}`),
  );
  return { people: Object.fromEntries(kept) };
}
