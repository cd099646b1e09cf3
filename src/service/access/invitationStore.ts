/**
 * Open invitations, in a small state file: one-time tokens, valid for ten minutes. Only the SHA-256 of a token is kept.
 * As a token has 160 random bits, the hash identifies it but cannot be used to log in.
 *
 * Admins invite to manage@ and to containers. An owner invites keys to their own container; such an invitation can name
 * the only key that may use it.
 */
import { createHash } from 'node:crypto';
import type { Low } from 'lowdb';
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import { newToken } from '../../domain/access/invitation.ts';
import { parsePublicKey, type PublicKey } from '../../domain/keys/publicKey.ts';
import type { InvitationInfo } from '../../domain/results/invitations.ts';
import { quoted } from '../../domain/text.ts';
import { openState } from '../../journal/jsonState.ts';
import type { AdminStore } from './adminStore.ts';

const inviteeSchema = z.discriminatedUnion('kind', [
  /** With a role it makes a new admin. Without one it is for an admin who is there, and ends with them. */
  z.object({ kind: z.literal('admin'), name: z.string(), role: z.enum(['viewer', 'operator', 'admin']).optional() }),
  /** It is for this one container, and not for a later one of the same user. Earlier versions kept only the name. */
  z.object({ kind: z.literal('user'), name: z.string(), container: z.string().default('') }),
]);
/** The login of an owner who invites. The invitation ends with the right of this key or certificate. */
const owner = z.object({
  fingerprint: z.string(),
  certificate: z.object({ ca: z.string(), keyId: z.string(), serial: z.string() }).optional(),
});
const invitation = z.object({
  hash: z.string(),
  for: inviteeSchema,
  by: z.string(),
  /** Only if an owner made it. */
  owner: owner.optional(),
  /** The line of the only key that may use it; absent if any key may. */
  key: z.string().optional(),
  /** Made on the host by root, so that it does not end with the rights of an admin. */
  byRoot: z.boolean(),
  expiresAt: z.string(),
});
const schema = z.object({ invitations: z.array(invitation) });
type State = z.infer<typeof schema>;
export type Invitation = z.infer<typeof invitation>;
export type InvitingOwner = z.infer<typeof owner>;

/** A container: its user, and when Incus made it, which no other container of that user shares. */
export interface InvitingContainer {
  readonly user: string;
  readonly createdAt: string;
}

const invitationMs = 10 * 60 * 1000;
/** Number of open invitations of all admins. Those of owners do not count, so that owners cannot use it up. */
const maxOpen = 1000;
/** Number of open invitations of all owners of one container. */
const maxOpenPerContainer = 10;

export class InvitationStore {
  readonly #db: Low<State>;
  readonly #admins: AdminStore;
  readonly #now: () => Date;
  /** Those that are being used, and have not been ended meanwhile. */
  readonly #inUse = new Set<Invitation>();
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(db: Low<State>, admins: AdminStore, now: () => Date) {
    this.#db = db;
    this.#admins = admins;
    this.#now = now;
  }

  static async open(path: string, admins: AdminStore, now: () => Date): Promise<InvitationStore> {
    return new InvitationStore(await openState(path, schema, { invitations: [] }), admins, now);
  }

  /**
   * The invitations that can be used now. An invitation ends with the rights of the admin who made it. Whether an owner
   * still has the container, only Incus knows: the directory leaves those of others out, and `use` of them is refused.
   */
  get all(): readonly Invitation[] {
    const now = this.#now().getTime();
    // If the clock was set back, none is open for longer than a new one.
    const latest = new Date(now + invitationMs).toISOString();
    for (const entry of this.#db.data.invitations) if (entry.expiresAt > latest) entry.expiresAt = latest;
    return this.#db.data.invitations.filter((entry) => now < Date.parse(entry.expiresAt) && this.#stands(entry));
  }

  list(): InvitationInfo[] {
    return this.all.map(infoOf);
  }

  /** Creates an invitation. The token that it resolves with is not kept anywhere. */
  async make(
    invitee: Invitation['for'],
    by: { readonly name: string; readonly root: boolean },
  ): Promise<{ token: string; invitation: InvitationInfo }> {
    const token = newToken();
    const made: Invitation = {
      hash: hashOf(token),
      for: invitee,
      by: by.name,
      byRoot: by.root,
      expiresAt: new Date(this.#now().getTime() + invitationMs).toISOString(),
    };
    if (!this.#stands(made)) throw new Failure('denied', { what: 'the invitation', why: 'you may not invite' });
    const open = this.all;
    if (open.filter((entry) => entry.owner === undefined).length >= maxOpen)
      throw new Failure('busy', {
        what: 'the invitation',
        why: `there are already ${maxOpen} open ones`,
        next: 'see "invite list"',
      });
    await this.#write([...open, made]);
    return { token, invitation: infoOf(made) };
  }

  /** Returns the open invitations that owners of this user's container have made. */
  ofOwner(user: string): readonly Invitation[] {
    return this.all.filter((entry) => entry.owner !== undefined && entry.for.name === user);
  }

  /**
   * Creates an invitation of an owner for each key, or for any key where it is undefined. An earlier invitation for the
   * same key ends. Rejects with `busy`, and creates none, if too many would be open.
   */
  async makeOwn(
    { user, createdAt }: InvitingContainer,
    by: { readonly name: string; readonly owner: InvitingOwner },
    keys: readonly (PublicKey | undefined)[],
  ): Promise<{ token: string; invitation: InvitationInfo }[]> {
    const lines = keys.map((key) => key?.line);
    const blobs = new Set(keys.flatMap((key) => key?.base64 ?? []));
    const kept = this.all.filter((entry) => {
      const bound = entry.owner !== undefined && entry.for.name === user ? boundKey(entry) : undefined;
      return bound === undefined || bound === 'any' || !blobs.has(bound.base64);
    });
    const open = kept.filter((entry) => entry.owner !== undefined && entry.for.name === user).length;
    if (open + lines.length > maxOpenPerContainer)
      throw new Failure('busy', {
        what: lines.length === 1 ? 'the invitation' : `${lines.length} invitations`,
        why: `of the ${maxOpenPerContainer} that can be open for "${user}", ${open} are`,
        next: `use or cancel one of them: see "keys ${user}"`,
      });
    const expiresAt = new Date(this.#now().getTime() + invitationMs).toISOString();
    const made = lines.map((line) => {
      const token = newToken();
      const entry: Invitation = {
        hash: hashOf(token),
        for: { kind: 'user', name: user, container: createdAt },
        by: by.name,
        owner: by.owner,
        ...(line === undefined ? {} : { key: line }),
        byRoot: false,
        expiresAt,
      };
      return { token, entry };
    });
    await this.#write([...kept, ...made.map(({ entry }) => entry)]);
    return made.map(({ token, entry }) => ({ token, invitation: infoOf(entry) }));
  }

  /** Cancels those of these invitations that are open. */
  cancelThese(wanted: readonly Invitation[]): Promise<InvitationInfo[]> {
    return this.#end((entry) => wanted.includes(entry));
  }

  /** Ends invitations, also those that are being used. Returns those that were open. */
  async #end(isEnded: (entry: Invitation) => boolean): Promise<InvitationInfo[]> {
    for (const entry of this.#inUse) if (isEnded(entry)) this.#inUse.delete(entry);
    const matching = this.all.filter(isEnded);
    if (matching.length > 0) await this.#write(this.all.filter((entry) => !matching.includes(entry)));
    return matching.map(infoOf);
  }

  /** Ends the invitations for an admin who is being removed, and those that this admin has made. */
  endOfAdmin(name: string): Promise<InvitationInfo[]> {
    return this.#end(
      (entry) =>
        (entry.for.kind === 'admin' && entry.for.name === name) ||
        (entry.by === name && entry.owner === undefined && !entry.byRoot),
    );
  }

  /** Ends for good those that do not stand any more, as after a change of roles. */
  async prune(): Promise<void> {
    const standing = this.all;
    if (standing.length < this.#db.data.invitations.length) await this.#write(standing);
  }

  /**
   * Ends the invitations to containers that Incus has no longer. Leaves those that were made after `askedAtMs`, when
   * Incus was asked, because their containers may be newer than its answer.
   */
  async endOfGone(containers: readonly InvitingContainer[], askedAtMs: number): Promise<void> {
    await this.#end(
      (entry) => Date.parse(entry.expiresAt) - invitationMs < askedAtMs && !isForOneOf(entry, containers),
    );
  }

  /** Cancels invitations by id, or by the name that they are for. */
  async cancel(selector: string): Promise<InvitationInfo[]> {
    const matching = this.all.filter((entry) => idOf(entry) === selector || entry.for.name === selector);
    if (matching.length === 0)
      throw new Failure('not-found', {
        what: `invitation ${quoted(selector)}`,
        why: 'no open invitation has this id or name',
        next: 'see "invite list"',
      });
    return this.cancelThese(matching);
  }

  /**
   * Uses an invitation: calls `bind` once, even if several clients present the same token at the same time. The
   * invitation leaves the disk before `bind` runs, and returns if `bind` rejects, unless it was ended meanwhile, which
   * `isEnded` tells. Rejects with `denied` if there is none.
   */
  async use<T>(hash: string, bind: (invitation: Invitation, isEnded: () => boolean) => Promise<T>): Promise<T> {
    const found = this.all.find((entry) => entry.hash === hash);
    if (found === undefined) throw new Failure('denied', { what: 'this login', why: 'it may not be used here' });
    this.#inUse.add(found);
    try {
      await this.#write(this.all.filter((entry) => entry !== found));
      return await bind(found, () => !this.#inUse.has(found));
    } catch (error) {
      if (this.#inUse.has(found)) await this.#write([...this.all, found]);
      throw error;
    } finally {
      this.#inUse.delete(found);
    }
  }

  #stands({ by, byRoot, owner: inviting, for: invitee }: Invitation): boolean {
    const { kind } = invitee;
    if (inviting !== undefined) return kind === 'user';
    if (kind === 'admin' && invitee.role === undefined && this.#admins.named(invitee.name) === undefined) return false;
    if (byRoot) return true;
    const role = this.#admins.named(by)?.role;
    return role === 'admin' || (role === 'operator' && kind === 'user');
  }

  /** Replaces the invitations: in memory at once, so that the next caller sees the change; on disk in order. */
  async #write(invitations: readonly Invitation[]): Promise<void> {
    this.#db.data = { invitations: [...invitations] };
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#db.write());
    await this.#writing;
  }
}

export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Reports whether an invitation is for one of these containers, or not for a container at all. */
export function isForOneOf({ for: invitee }: Invitation, containers: readonly InvitingContainer[]): boolean {
  return (
    invitee.kind !== 'user' ||
    containers.some(({ user, createdAt }) => user === invitee.name && createdAt === invitee.container)
  );
}

/** Returns the id of an invitation in lists: the first 12 digits of its hash. */
export function idOf({ hash }: Invitation): string {
  return hash.slice(0, 12);
}

/** Returns the only key that may use an invitation, or `any`; undefined if its key cannot be read. */
export function boundKey({ key }: Pick<Invitation, 'key'>): PublicKey | 'any' | undefined {
  if (key === undefined) return 'any';
  try {
    return parsePublicKey(key);
  } catch {
    return undefined;
  }
}

/** Returns an invitation as lists show it. */
export function infoOf(entry: Invitation): InvitationInfo {
  const bound = boundKey(entry);
  const key = bound === 'any' ? undefined : bound;
  return {
    id: idOf(entry),
    kind: entry.for.kind,
    name: entry.for.name,
    role: entry.for.kind === 'admin' ? (entry.for.role ?? null) : null,
    by: entry.by,
    byOwner: entry.owner !== undefined,
    fingerprint: key?.fingerprint ?? null,
    comment: key?.comment ?? null,
    expiresAt: entry.expiresAt,
  };
}
