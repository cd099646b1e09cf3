/** The trusted CAs and their revoked certificates, in a small state file. */
import type { Low } from 'lowdb';
import PQueue from 'p-queue';
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { Ca } from '../../domain/access/directory.ts';
import { parsePublicKeys, type PublicKey } from '../../domain/keys/publicKey.ts';
import type { CaChange, CaInfo } from '../../domain/results/cas.ts';
import { quoted } from '../../domain/text.ts';
import { openState } from '../../journal/jsonState.ts';

const entryPoints = z.array(z.enum(['manage', 'self']));
const current = z.object({
  cas: z.array(
    z.object({
      name: z.string(),
      entryPoints,
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

/** The state file of version 0.1: the same data under other names. */
const from0_1 = z
  .object({ authorities: z.array(z.looseObject({ doors: entryPoints })) })
  .transform(({ authorities }) => ({
    cas: authorities.map(({ doors, ...ca }) => ({ ...ca, entryPoints: doors })),
  }));
const schema = z.union([current, from0_1.pipe(current)]);

type State = z.infer<typeof current>;
type Stored = State['cas'][number];
export type CaEntryPoints = z.infer<typeof entryPoints>;

const maxCas = 32;
/** Maximum number of revocations for each CA and kind: the front gets all of them at every change. */
const maxRevoked = 10_000;

export interface Revocation {
  readonly serials: readonly string[];
  readonly keyIds: readonly string[];
  readonly fingerprints: readonly string[];
}

export class CaStore {
  readonly #db: Low<State>;
  /** Changes run one at a time: one whose write fails restores the CAs from before it, and must lose no other. */
  readonly #changes = new PQueue({ concurrency: 1 });

  private constructor(db: Low<State>) {
    this.#db = db;
  }

  static async open(path: string): Promise<CaStore> {
    return new CaStore(await openState(path, schema, { cas: [] }));
  }

  /** The CAs as the directory needs them. Leaves out a CA whose key does not parse. */
  get all(): Ca[] {
    return this.#db.data.cas.flatMap(({ name, entryPoints, line, revoked }) => {
      const key = keyOf(line);
      return key === undefined ? [] : [{ name, entryPoints, type: key.type, blob: key.base64, revoked }];
    });
  }

  list(): CaInfo[] {
    return this.#db.data.cas.map(({ name, entryPoints, line, addedAt, addedBy, revoked }) => {
      const key = keyOf(line);
      return {
        name,
        entryPoints,
        type: key?.type ?? 'unknown',
        fingerprint: key?.fingerprint ?? '',
        comment: key?.comment ?? '',
        addedAt,
        addedBy,
        revoked,
      };
    });
  }

  add(name: string, entryPoints: CaEntryPoints, key: PublicKey, by: string, at: Date): Promise<CaChange> {
    return this.#changes.add(() => this.#add(name, entryPoints, key, by, at));
  }

  async #add(name: string, entryPoints: CaEntryPoints, key: PublicKey, by: string, at: Date): Promise<CaChange> {
    const { cas } = this.#db.data;
    if (cas.some((other) => other.name === name)) {
      throw new Failure('exists', {
        what: `CA ${quoted(name)}`,
        why: 'it already exists',
        next: `remove it first ("ca remove ${name}"), or choose another name`,
      });
    }
    const same = cas.find((other) => keyOf(other.line)?.fingerprint === key.fingerprint);
    if (same !== undefined)
      throw new Failure('exists', {
        what: `key ${key.fingerprint}`,
        why: `it already belongs to CA ${quoted(same.name)}`,
        next: 'see "ca list"',
      });
    if (cas.length >= maxCas)
      throw new Failure('exists', {
        what: `CA ${quoted(name)}`,
        why: `there are already ${maxCas} CAs`,
        next: 'remove one first: "ca remove <name>"',
      });
    const stored: Stored = {
      name,
      entryPoints: [...new Set(entryPoints)],
      line: key.line,
      addedAt: at.toISOString(),
      addedBy: by,
      revoked: { serials: [], keyIds: [], fingerprints: [] },
    };
    await this.#write([...cas, stored]);
    return {
      name,
      did: `added for ${stored.entryPoints.map((entryPoint) => `${entryPoint}@`).join(' and ')}`,
      cas: this.list(),
    };
  }

  remove(name: string): Promise<CaChange> {
    return this.#changes.add(async () => {
      this.#named(name);
      await this.#write(this.#db.data.cas.filter((other) => other.name !== name));
      return { name, did: 'removed; its certificates are no longer accepted', cas: this.list() };
    });
  }

  revoke(name: string, revocation: Revocation): Promise<CaChange> {
    return this.#changes.add(() => this.#revoke(name, revocation));
  }

  async #revoke(name: string, revocation: Revocation): Promise<CaChange> {
    const before = this.#named(name);
    const joined = (kind: keyof Revocation): string[] => {
      const all = [...new Set([...before.revoked[kind], ...revocation[kind]])];
      if (all.length > maxRevoked) {
        throw new Failure('exists', {
          what: `CA ${quoted(name)}`,
          why: `${maxRevoked} of its certificates are already revoked`,
          next: 'create a new CA and remove this one: "ca remove <name>"',
        });
      }
      return all;
    };
    const revoked = { serials: joined('serials'), keyIds: joined('keyIds'), fingerprints: joined('fingerprints') };
    await this.#write(this.#db.data.cas.map((other) => (other.name === name ? { ...other, revoked } : other)));
    const what = [
      ...revocation.serials.map((serial) => `serial ${serial}`),
      ...revocation.keyIds.map((id) => `key id ${quoted(id)}`),
      ...revocation.fingerprints.map((print) => `key ${print}`),
    ];
    return { name, did: `revoked: ${what.join(', ')}`, cas: this.list() };
  }

  #named(name: string): Stored {
    const found = this.#db.data.cas.find((other) => other.name === name);
    if (found === undefined)
      throw new Failure('not-found', {
        what: `CA ${quoted(name)}`,
        why: 'no CA has this name',
        next: 'see "ca list"',
      });
    return found;
  }

  async #write(cas: Stored[]): Promise<void> {
    const before = this.#db.data;
    this.#db.data = { cas };
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
