/** Who may use manage@: names, roles and keys, in a small state file. */
import type { Low } from 'lowdb';
import { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import { matchKeys, type PublicKey } from '../domain/publicKey.ts';
import type { AdminChange, AdminInfo } from '../domain/results.ts';
import { quoted } from '../domain/text.ts';
import { openState } from '../journal/jsonState.ts';
import { keyInfo, publicKeyOf, store } from './metadata.ts';

const schema = z.object({
  admins: z.array(
    z.object({
      name: z.string(),
      role: z.enum(['viewer', 'operator', 'admin']),
      keys: z.array(z.object({ line: z.string(), addedAt: z.string(), addedBy: z.string() })),
    }),
  ),
});

type AdminState = z.infer<typeof schema>;
export type Admin = AdminState['admins'][number];

export class Admins {
  readonly #db: Low<AdminState>;

  private constructor(db: Low<AdminState>) {
    this.#db = db;
  }

  static async open(path: string): Promise<Admins> {
    return new Admins(await openState(path, schema, { admins: [] }));
  }

  get all(): readonly Admin[] {
    return this.#db.data.admins;
  }

  list(): AdminInfo[] {
    return this.all.map(({ name, role, keys }) => ({ name, role, keys: keys.map(keyInfo) }));
  }

  /** The admin that a key belongs to. */
  byFingerprint(fingerprint: string): Admin | undefined {
    return this.all.find((admin) => admin.keys.some((key) => publicKeyOf(key)?.fingerprint === fingerprint));
  }

  async add(name: string, keys: readonly PublicKey[], by: string, at: Date): Promise<AdminChange> {
    for (const key of keys) {
      const owner = this.byFingerprint(key.fingerprint);
      if (owner !== undefined && owner.name !== name) {
        throw new Failure('exists', { what: `key ${key.fingerprint}`, why: `it already belongs to admin "${owner.name}"`, next: 'a key names one person: use another key' });
      }
    }
    const before = this.all.find((admin) => admin.name === name);
    const known = new Set((before?.keys ?? []).map((key) => publicKeyOf(key)?.fingerprint));
    const added = store(keys.filter((key) => !known.has(key.fingerprint)), at, by);
    if (added.length > 0) {
      const admin: Admin = { name, role: before?.role ?? 'admin', keys: [...(before?.keys ?? []), ...added] };
      await this.#write([...this.all.filter((other) => other.name !== name), admin]);
    }
    return { name, added: added.map(keyInfo), removed: [], admins: this.list() };
  }

  /** Removes an admin by name, or the keys that match a fingerprint or comment; the last key of all stays. */
  async remove(selector: string): Promise<AdminChange> {
    const named = this.all.find((admin) => admin.name === selector);
    const parsed = this.all.flatMap((admin) => admin.keys.flatMap((key) => publicKeyOf(key) ?? []));
    const gone =
      named === undefined
        ? new Set(matchKeys(parsed, selector).map((key) => key.fingerprint))
        : new Set(named.keys.map((key) => publicKeyOf(key)?.fingerprint));
    const removed = this.all.flatMap((admin) => admin.keys.filter((key) => gone.has(publicKeyOf(key)?.fingerprint)));
    if (removed.length === 0 && named === undefined) {
      throw new Failure('not-found', { what: `admin ${quoted(selector)}`, why: 'no admin has this name, fingerprint or key comment', next: 'admin list' });
    }
    const after = this.all
      .map((admin) => ({ ...admin, keys: admin.keys.filter((key) => !gone.has(publicKeyOf(key)?.fingerprint)) }))
      .filter((admin) => admin.keys.length > 0);
    if (!after.some((admin) => admin.role === 'admin')) {
      throw new Failure('last-admin', {
        what: `admin ${quoted(selector)}`,
        why: 'without it nobody could use manage@ as an admin any more',
        next: 'admin add another one first',
      });
    }
    const owner = named ?? this.all.find((admin) => admin.keys.some((key) => gone.has(publicKeyOf(key)?.fingerprint)));
    await this.#write(after);
    return { name: owner?.name ?? selector, added: [], removed: removed.map(keyInfo), admins: this.list() };
  }

  /** Written first, and taken over only when that worked: what is in memory is always what is on disk. */
  async #write(admins: Admin[]): Promise<void> {
    const before = this.#db.data;
    this.#db.data = { admins };
    try {
      await this.#db.write();
    } catch (error) {
      this.#db.data = before;
      throw error;
    }
  }
}
