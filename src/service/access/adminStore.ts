/** The admins, who may use manage@: names, roles and keys, in a small state file. */
import type { Low } from 'lowdb';
import PQueue from 'p-queue';
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { KeyLimits, LimitedKey } from '../../domain/keys/keyLimits.ts';
import { matchKeys } from '../../domain/keys/publicKey.ts';
import type { AdminChange, AdminInfo, AdminKeyInfo, LastUse } from '../../domain/results/admins.ts';
import { quoted } from '../../domain/text.ts';
import { openState } from '../../journal/jsonState.ts';
import { keyInfo, publicKeyOf, store } from '../instances/metadata.ts';

const role = z.enum(['viewer', 'operator', 'admin']);
export type AdminRole = z.infer<typeof role>;

const schema = z.object({
  admins: z.array(
    z.object({
      name: z.string(),
      role,
      /** Whether this admin may log in with a certificate, and so needs no key. */
      certificate: z.boolean().optional(),
      keys: z.array(
        z.object({
          line: z.string(),
          addedAt: z.string(),
          addedBy: z.string(),
          from: z.string().optional(),
          expiresAt: z.string().optional(),
          verifyRequired: z.boolean().optional(),
        }),
      ),
    }),
  ),
});

type AdminState = z.infer<typeof schema>;
export type Admin = AdminState['admins'][number];
type AdminKey = Admin['keys'][number];

/**
 * Returns the last use of a key (by fingerprint) or of an admin's certificates (by {@link certificateUse}), if known.
 */
export type LastUses = (key: string) => LastUse | undefined;

/** Returns the name under which the last use of an admin's certificates is kept. */
export function certificateUse(name: string): string {
  return `certificate ${name}`;
}

export interface Addition {
  readonly keys: readonly LimitedKey[];
  /** Required for a new admin; for an existing admin it must match the present role. */
  readonly role?: AdminRole | undefined;
  /** Allows certificates for this admin, who then needs no key. */
  readonly certificate?: boolean | undefined;
}

/** An admin who changes admins, and has not confirmed that the change may end their own login. */
export interface Unconfirmed {
  readonly name: string;
  readonly fingerprint: string | undefined;
}

export interface FirstOfAll {
  readonly name: string;
  readonly keys: readonly LimitedKey[];
}

export class AdminStore {
  readonly #db: Low<AdminState>;
  readonly #lastUses: LastUses;
  /** Changes run one at a time: each is made of what the one before it left. */
  readonly #changes = new PQueue({ concurrency: 1 });

  private constructor(db: Low<AdminState>, lastUses: LastUses) {
    this.#db = db;
    this.#lastUses = lastUses;
  }

  static async open(path: string, lastUses: LastUses = () => undefined): Promise<AdminStore> {
    return new AdminStore(await openState(path, schema, { admins: [] }), lastUses);
  }

  get all(): readonly Admin[] {
    return this.#db.data.admins;
  }

  list(): AdminInfo[] {
    return this.all.map(({ name, role, certificate, keys }) => ({
      name,
      role,
      certificate: certificate === true ? { lastUse: this.#lastUses(certificateUse(name)) ?? null } : null,
      keys: keys.map((key) => this.#info(key)),
    }));
  }

  named(name: string): Admin | undefined {
    return this.all.find((admin) => admin.name === name);
  }

  /** Returns the admin that a key belongs to. */
  byFingerprint(fingerprint: string): Admin | undefined {
    return this.all.find((admin) => admin.keys.some((key) => fingerprintOf(key) === fingerprint));
  }

  /** Makes the first admins, all in one write. Rejects with `exists` if two of them have the same key. */
  async addFirst(first: readonly FirstOfAll[], by: string, at: Date): Promise<void> {
    const owners = new Map<string, string>();
    for (const { name, keys } of first) {
      for (const { fingerprint } of keys) {
        const owner = owners.get(fingerprint);
        if (owner !== undefined && owner !== name) throw ownedKey(fingerprint, owner);
        owners.set(fingerprint, name);
      }
    }
    const admins = first.map(({ name, keys }): Admin => ({
      name,
      role: 'admin',
      keys: keys.flatMap(({ key, limits }) => store([key], at, by).map((stored) => ({ ...stored, ...limits }))),
    }));
    await this.#changes.add(() => this.#write(admins));
  }

  /** Adds an admin, or keys to one. */
  add(name: string, addition: Addition, by: string, at: Date): Promise<AdminChange> {
    return this.#changes.add(() => this.#add(name, addition, by, at));
  }

  async #add(name: string, { keys, role, certificate }: Addition, by: string, at: Date): Promise<AdminChange> {
    for (const { fingerprint } of keys) {
      const owner = this.byFingerprint(fingerprint);
      if (owner !== undefined && owner.name !== name) throw ownedKey(fingerprint, owner.name);
    }
    const before = this.named(name);
    if (before !== undefined && role !== undefined && role !== before.role) {
      throw new Failure('exists', {
        what: `admin ${quoted(name)}`,
        why: `the role is already ${before.role}, and adding keys does not change it`,
        next: `"admin role ${name} ${role}" changes it`,
      });
    }
    const newRole = before?.role ?? role;
    if (newRole === undefined)
      throw new Failure('not-found', {
        what: `admin ${quoted(name)}`,
        why: 'no admin has this name, and no role was given for a new one',
      });
    const known = new Map((before?.keys ?? []).map((key) => [fingerprintOf(key), key]));
    const added: AdminKey[] = [];
    const changed: AdminKey[] = [];
    for (const { key, limits, fingerprint } of keys) {
      const there = known.get(fingerprint);
      const [stored] = store([key], at, by);
      if (there === undefined && stored !== undefined) added.push({ ...stored, ...limits });
      else if (there !== undefined && Object.keys(limits).length > 0 && !sameLimits(there, limits))
        changed.push(withLimits(there, limits));
    }
    const canCertify = before?.certificate === true || certificate === true;
    const nothing =
      added.length + changed.length === 0 && before !== undefined && canCertify === (before.certificate === true);
    if (!nothing) {
      const changes = new Map(changed.map((key) => [fingerprintOf(key), key]));
      const admin: Admin = {
        name,
        role: newRole,
        ...(canCertify ? { certificate: true } : {}),
        keys: [...(before?.keys ?? []).map((key) => changes.get(fingerprintOf(key)) ?? key), ...added],
      };
      await this.#write([...this.all.filter((other) => other.name !== name), admin]);
    }
    return this.#change(name, {
      added,
      changed,
      note: before === undefined && added.length === 0 ? 'added without keys; log in with a certificate' : null,
    });
  }

  /**
   * Changes an admin's role. Refuses to demote the last admin of role `admin`, and to demote `caller` with
   * `confirmation-required`.
   */
  setRole(name: string, role: AdminRole, caller?: Unconfirmed): Promise<AdminChange> {
    return this.#changes.add(() => this.#setRole(name, role, caller));
  }

  async #setRole(name: string, role: AdminRole, caller: Unconfirmed | undefined): Promise<AdminChange> {
    const before = this.named(name);
    if (before === undefined)
      throw new Failure('not-found', {
        what: `admin ${quoted(name)}`,
        why: 'no admin has this name',
        next: 'see "admin list"',
      });
    const after = this.all.map((admin) => (admin.name === name ? { ...admin, role } : admin));
    if (before.role !== role) {
      this.#refuseLast(after, name);
      if (name === caller?.name) throw endsOwnLogin(name);
      await this.#write(after);
    }
    return this.#change(name, {
      note: before.role === role ? `the role is already ${role}` : `the role is now ${role}; it was ${before.role}`,
    });
  }

  /**
   * Removes an admin by name, or the keys that match a fingerprint or comment. Refuses to remove the last admin, and
   * `caller` or the key of their login with `confirmation-required`. Calls `leave` for each admin of whom nothing
   * stays, before that; `leave` must not change admins.
   */
  remove(
    selector: string,
    caller?: Unconfirmed,
    leave: (name: string) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<AdminChange> {
    return this.#changes.add(() => this.#remove(selector, caller, leave));
  }

  async #remove(
    selector: string,
    caller: Unconfirmed | undefined,
    leave: (name: string) => Promise<unknown>,
  ): Promise<AdminChange> {
    const named = this.named(selector);
    const parsed = this.all.flatMap((admin) => admin.keys.flatMap((key) => publicKeyOf(key) ?? []));
    const gone =
      named === undefined
        ? new Set(matchKeys(parsed, selector).map((key) => key.fingerprint))
        : new Set(named.keys.map(fingerprintOf));
    const removed = this.all.flatMap((admin) => admin.keys.filter((key) => gone.has(fingerprintOf(key))));
    if (removed.length === 0 && named === undefined) {
      throw new Failure('not-found', {
        what: `admin ${quoted(selector)}`,
        why: 'no admin has this name, fingerprint or key comment',
        next: 'see "admin list"',
      });
    }
    const after = this.all
      .filter((admin) => admin !== named)
      .map((admin) => ({ ...admin, keys: admin.keys.filter((key) => !gone.has(fingerprintOf(key))) }))
      .filter((admin) => admin.keys.length > 0 || admin.certificate === true);
    this.#refuseLast(after, selector);
    if (caller !== undefined && (named?.name === caller.name || gone.has(caller.fingerprint ?? '')))
      throw endsOwnLogin(selector);
    const owner = named ?? this.all.find((admin) => admin.keys.some((key) => gone.has(fingerprintOf(key))));
    for (const { name } of this.all) if (!after.some((admin) => admin.name === name)) await leave(name);
    await this.#write(after);
    return this.#change(owner?.name ?? selector, { removed, note: removed.length === 0 ? 'removed' : null });
  }

  /** Refuses a change that leaves no usable admin. Certificates do not count: their validity is unknown here. */
  #refuseLast(after: readonly Admin[], selector: string): void {
    const now = Date.now();
    if (
      after.some(
        (admin) =>
          admin.role === 'admin' &&
          admin.keys.some(({ expiresAt }) => expiresAt === undefined || now < Date.parse(expiresAt)),
      )
    )
      return;
    throw new Failure('last-admin', {
      what: `admin ${quoted(selector)}`,
      why: 'without it, no admin could log in at manage@',
      next: 'add another admin first: "admin add <name>"',
    });
  }

  #change(
    name: string,
    {
      added = [],
      changed = [],
      removed = [],
      note,
    }: { added?: AdminKey[]; changed?: AdminKey[]; removed?: AdminKey[]; note: string | null },
  ): AdminChange {
    const infos = (keys: readonly AdminKey[]): AdminKeyInfo[] => keys.map((key) => this.#info(key));
    return { name, added: infos(added), changed: infos(changed), removed: infos(removed), note, admins: this.list() };
  }

  #info(key: AdminKey): AdminKeyInfo {
    const info = keyInfo(key);
    const { from, expiresAt, verifyRequired } = key;
    return {
      ...info,
      from: from ?? null,
      expiresAt: expiresAt ?? null,
      verifyRequired: verifyRequired === true,
      lastUse: this.#lastUses(info.fingerprint) ?? null,
    };
  }

  /** Replaces the admins, and restores the old ones if the write fails: memory always matches the disk. */
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

function endsOwnLogin(selector: string): Failure {
  return new Failure('confirmation-required', {
    what: `admin ${quoted(selector)}`,
    why: 'that is you, and this ends your own login',
    next: 'add --yes to do it anyway',
  });
}

function fingerprintOf(key: AdminKey): string | undefined {
  return publicKeyOf(key)?.fingerprint;
}

export function limitsOf({ from, expiresAt, verifyRequired }: AdminKey): KeyLimits {
  return {
    ...(from === undefined ? {} : { from }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(verifyRequired === undefined ? {} : { verifyRequired }),
  };
}

function sameLimits(key: AdminKey, limits: KeyLimits): boolean {
  return key.from === limits.from && key.expiresAt === limits.expiresAt && key.verifyRequired === limits.verifyRequired;
}

/** Returns the key with `limits` in place of all its old limits. */
function withLimits({ line, addedAt, addedBy }: AdminKey, limits: KeyLimits): AdminKey {
  return { line, addedAt, addedBy, ...limits };
}

function ownedKey(fingerprint: string, owner: string): Failure {
  return new Failure('exists', {
    what: `key ${fingerprint}`,
    why: `it already belongs to admin "${owner}"`,
    next: 'use another key: a key identifies one person',
  });
}
