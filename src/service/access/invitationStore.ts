/**
 * Open invitations, in a small state file: one-time tokens, valid for ten minutes. Only the SHA-256 of a token is kept.
 * As a token has 160 random bits, the hash identifies it but cannot be used to log in.
 */
import { createHash } from 'node:crypto';
import type { Low } from 'lowdb';
import { z } from 'zod';
import { Failure } from '../../domain/failure.ts';
import { newToken } from '../../domain/access/invitation.ts';
import type { InvitationInfo } from '../../domain/results/invitations.ts';
import { quoted } from '../../domain/text.ts';
import { openState } from '../../journal/jsonState.ts';
import type { AdminStore } from './adminStore.ts';

const inviteeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('admin'), name: z.string(), role: z.enum(['viewer', 'operator', 'admin']).optional() }),
  z.object({ kind: z.literal('user'), name: z.string() }),
]);
const invitation = z.object({
  hash: z.string(),
  for: inviteeSchema,
  by: z.string(),
  /** Made on the host by root, so that it does not end with the rights of an admin. */
  byRoot: z.boolean(),
  expiresAt: z.string(),
});
const schema = z.object({ invitations: z.array(invitation) });
type State = z.infer<typeof schema>;
export type Invitation = z.infer<typeof invitation>;

const invitationMs = 10 * 60 * 1000;
const maxOpen = 1000;

export class InvitationStore {
  readonly #db: Low<State>;
  readonly #admins: AdminStore;
  readonly #now: () => Date;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(db: Low<State>, admins: AdminStore, now: () => Date) {
    this.#db = db;
    this.#admins = admins;
    this.#now = now;
  }

  static async open(path: string, admins: AdminStore, now: () => Date): Promise<InvitationStore> {
    return new InvitationStore(await openState(path, schema, { invitations: [] }), admins, now);
  }

  /** The invitations that can be used now. An invitation ends with the rights of the admin who made it. */
  get all(): readonly Invitation[] {
    const now = this.#now().getTime();
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
    if (open.length >= maxOpen)
      throw new Failure('busy', {
        what: 'the invitation',
        why: `there are already ${maxOpen} open ones`,
        next: 'see "invite list"',
      });
    await this.#write([...open, made]);
    return { token, invitation: infoOf(made) };
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
    await this.#write(this.all.filter((entry) => !matching.includes(entry)));
    return matching.map(infoOf);
  }

  /**
   * Uses an invitation: calls `bind` once, even if several clients present the same token at the same time. The
   * invitation leaves the disk before `bind` runs, and returns if `bind` rejects. Rejects with `denied` if there is
   * none.
   */
  async use<T>(hash: string, bind: (invitation: Invitation) => Promise<T>): Promise<T> {
    const found = this.all.find((entry) => entry.hash === hash);
    if (found === undefined) throw new Failure('denied', { what: 'this login', why: 'it may not be used here' });
    await this.#write(this.all.filter((entry) => entry !== found));
    try {
      return await bind(found);
    } catch (error) {
      await this.#write([...this.all, found]);
      throw error;
    }
  }

  #stands({ by, byRoot, for: { kind } }: Invitation): boolean {
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

/** Returns the id of an invitation in lists: the first 12 digits of its hash. */
export function idOf({ hash }: Invitation): string {
  return hash.slice(0, 12);
}

function infoOf(entry: Invitation): InvitationInfo {
  return {
    id: idOf(entry),
    kind: entry.for.kind,
    name: entry.for.name,
    role: entry.for.kind === 'admin' ? (entry.for.role ?? null) : null,
    by: entry.by,
    expiresAt: entry.expiresAt,
  };
}
