/**
 * When and from where each admin key was last used. New uses are written together every few seconds, so that a login
 * costs no write; a crash loses those seconds. An unreadable file loses the history but does not prevent the start.
 */
import { Low, Memory } from 'lowdb';
import * as z from 'zod';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { LastUse } from '../../domain/results/admins.ts';
import { openState } from '../../journal/jsonState.ts';
import { certificateUse } from './adminStore.ts';

const schema = z.object({ uses: z.record(z.string(), z.object({ at: z.string(), address: z.string() })) });
type State = z.infer<typeof schema>;

const writeEveryMs = 5000;
/** Maximum number of keys remembered; the least recently used one is forgotten first. */
const maxUses = 10_000;

export class LastUses {
  readonly #db: Low<State>;
  readonly #uses: Map<string, LastUse>;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(db: Low<State>) {
    this.#db = db;
    this.#uses = new Map(Object.entries(db.data.uses));
  }

  static async open(path: string, onTrouble: (failure: Failure) => void): Promise<LastUses> {
    try {
      return new LastUses(await openState<State>(path, schema, { uses: {} }));
    } catch (error) {
      onTrouble(Failure.from(error));
      return new LastUses(new Low<State>(new Memory<State>(), { uses: {} }));
    }
  }

  of(key: string): LastUse | undefined {
    return this.#uses.get(key);
  }

  /** Records a login at manage@; ignores other logins. */
  note({ entryPoint, name, fingerprint, certificate, address }: Actor, at: Date): void {
    const key = certificate === undefined ? fingerprint : certificateUse(name);
    if (entryPoint !== 'manage' || key === undefined || address === undefined) return;
    // The order of keys is the order of use.
    this.#uses.delete(key);
    this.#uses.set(key, { at: at.toISOString(), address });
    const [oldest] = this.#uses.keys();
    if (this.#uses.size > maxUses && oldest !== undefined) this.#uses.delete(oldest);
    this.#timer ??= setTimeout(() => this.#write(), writeEveryMs).unref();
  }

  /** Writes pending uses; resolves when the writes have succeeded or failed. */
  async settled(): Promise<void> {
    if (this.#timer !== undefined) this.#write();
    await this.#writing;
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(async () => {
      this.#db.data = { uses: Object.fromEntries(this.#uses) };
      await this.#db.write().catch(() => undefined);
    });
  }
}
