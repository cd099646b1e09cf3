/** The authorities whose certificates are believed, and what each of them has revoked: a small state file. */
import type { Low } from 'lowdb';
import { z } from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { Authority } from '../../domain/access/directory.ts';
import { parsePublicKeys, type PublicKey } from '../../domain/keys/publicKey.ts';
import type { AuthorityChange, AuthorityInfo } from '../../domain/results/certificateAuthorities.ts';
import { quoted } from '../../domain/text.ts';
import { openState } from '../../journal/jsonState.ts';

const doors = z.array(z.enum(['manage', 'self']));
const schema = z.object({
  authorities: z.array(
    z.object({
      name: z.string(),
      doors,
      line: z.string(),
      addedAt: z.string(),
      addedBy: z.string(),
      revoked: z.object({
        serials: z.array(z.string()),
        keyIds: z.array(z.string()),
        fingerprints: z.array(z.string()),
      }),
    }),
  ),
});

type State = z.infer<typeof schema>;
type Stored = State['authorities'][number];
export type AuthorityDoors = z.infer<typeof doors>;

const mostAuthorities = 32;
/** Of one authority, each kind: all of it goes to the front whenever something changes. */
const mostRevoked = 10_000;

export interface Revocation {
  readonly serials: readonly string[];
  readonly keyIds: readonly string[];
  readonly fingerprints: readonly string[];
}

export class CaStore {
  readonly #db: Low<State>;

  private constructor(db: Low<State>) {
    this.#db = db;
  }

  static async open(path: string): Promise<CaStore> {
    return new CaStore(await openState(path, schema, { authorities: [] }));
  }

  /** As the index of who may log in wants them; one whose key does not parse is none. */
  get all(): Authority[] {
    return this.#db.data.authorities.flatMap(({ name, doors, line, revoked }) => {
      const key = keyOf(line);
      return key === undefined ? [] : [{ name, doors, type: key.type, blob: key.base64, revoked }];
    });
  }

  list(): AuthorityInfo[] {
    return this.#db.data.authorities.map(({ name, doors, line, addedAt, addedBy, revoked }) => {
      const key = keyOf(line);
      return {
        name,
        doors,
        type: key?.type ?? 'unknown',
        fingerprint: key?.fingerprint ?? '',
        comment: key?.comment ?? '',
        addedAt,
        addedBy,
        revoked,
      };
    });
  }

  async add(name: string, doors: AuthorityDoors, key: PublicKey, by: string, at: Date): Promise<AuthorityChange> {
    const { authorities } = this.#db.data;
    if (authorities.some((other) => other.name === name)) {
      throw new Failure('exists', {
        what: `authority ${quoted(name)}`,
        why: 'there is one of this name',
        next: `ca remove ${name} first, or take another name`,
      });
    }
    const same = authorities.find((other) => keyOf(other.line)?.fingerprint === key.fingerprint);
    if (same !== undefined)
      throw new Failure('exists', {
        what: `key ${key.fingerprint}`,
        why: `it is authority ${quoted(same.name)} already`,
        next: 'ca list',
      });
    if (authorities.length >= mostAuthorities)
      throw new Failure('exists', {
        what: `authority ${quoted(name)}`,
        why: `there are ${mostAuthorities} already`,
        next: 'ca remove one first',
      });
    const stored: Stored = {
      name,
      doors: [...new Set(doors)],
      line: key.line,
      addedAt: at.toISOString(),
      addedBy: by,
      revoked: { serials: [], keyIds: [], fingerprints: [] },
    };
    await this.#write([...authorities, stored]);
    return { name, did: `added for ${stored.doors.map((door) => `${door}@`).join(' and ')}`, authorities: this.list() };
  }

  async remove(name: string): Promise<AuthorityChange> {
    this.#named(name);
    await this.#write(this.#db.data.authorities.filter((other) => other.name !== name));
    return { name, did: 'removed: its certificates open nothing any more', authorities: this.list() };
  }

  async revoke(name: string, revocation: Revocation): Promise<AuthorityChange> {
    const before = this.#named(name);
    const joined = (kind: keyof Revocation): string[] => {
      const all = [...new Set([...before.revoked[kind], ...revocation[kind]])];
      if (all.length > mostRevoked) {
        throw new Failure('exists', {
          what: `authority ${quoted(name)}`,
          why: `${mostRevoked} of its certificates are revoked already`,
          next: 'make a new authority, and ca remove this one',
        });
      }
      return all;
    };
    const revoked = { serials: joined('serials'), keyIds: joined('keyIds'), fingerprints: joined('fingerprints') };
    await this.#write(this.#db.data.authorities.map((other) => (other.name === name ? { ...other, revoked } : other)));
    const what = [
      ...revocation.serials.map((serial) => `serial ${serial}`),
      ...revocation.keyIds.map((id) => `key id ${quoted(id)}`),
      ...revocation.fingerprints.map((print) => `key ${print}`),
    ];
    return { name, did: `revoked: ${what.join(', ')}`, authorities: this.list() };
  }

  #named(name: string): Stored {
    const found = this.#db.data.authorities.find((other) => other.name === name);
    if (found === undefined)
      throw new Failure('not-found', {
        what: `authority ${quoted(name)}`,
        why: 'there is none of this name',
        next: 'ca list',
      });
    return found;
  }

  async #write(authorities: Stored[]): Promise<void> {
    const before = this.#db.data;
    this.#db.data = { authorities };
    try {
      await this.#db.write();
    } catch (error) {
      this.#db.data = before;
      throw error;
    }
  }
}

function keyOf(line: string): PublicKey | undefined {
  try {
    return parsePublicKeys(line)[0];
  } catch {
    return undefined;
  }
}
