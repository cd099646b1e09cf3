/**
 * Open invitations, in a small state file: tokens of one use for ten minutes. Of a token only the SHA-256 is kept; with
 * its 160 random bits that is as good as the token for knowing it again, and good for nothing else.
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

const forWhom = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('admin'), name: z.string(), role: z.enum(['viewer', 'operator', 'admin']).optional() }),
  z.object({ kind: z.literal('user'), name: z.string() }),
]);
const invitation = z.object({
  hash: z.string(),
  for: forWhom,
  by: z.string(),
  /** Made on the host itself, by root: it does not end with an admin. */
  byRoot: z.boolean(),
  expiresAt: z.string(),
});
const schema = z.object({ invitations: z.array(invitation) });
type State = z.infer<typeof schema>;
export type Invitation = z.infer<typeof invitation>;

export const invitationMs = 10 * 60 * 1000;
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

  /** Those that can be used at this moment. An invitation ends with the rights of whoever made it. */
  get all(): readonly Invitation[] {
    const now = this.#now().getTime();
    return this.#db.data.invitations.filter((one) => now < Date.parse(one.expiresAt) && this.#stands(one));
  }

  list(): InvitationInfo[] {
    return this.all.map((one) => ({
      id: idOf(one),
      kind: one.for.kind,
      name: one.for.name,
      role: one.for.kind === 'admin' ? (one.for.role ?? null) : null,
      by: one.by,
      expiresAt: one.expiresAt,
    }));
  }

  /** Resolves with the token, which is told once and kept nowhere. */
  async make(
    whom: Invitation['for'],
    by: { readonly name: string; readonly root: boolean },
  ): Promise<{ token: string; invitation: InvitationInfo }> {
    const token = newToken();
    const made: Invitation = {
      hash: hashOf(token),
      for: whom,
      by: by.name,
      byRoot: by.root,
      expiresAt: new Date(this.#now().getTime() + invitationMs).toISOString(),
    };
    const open = this.all;
    if (open.length >= maxOpen)
      throw new Failure('busy', { what: 'the invitation', why: `${maxOpen} are open already`, next: 'invite list' });
    await this.#write([...open, made]);
    const info = this.list().find(({ id }) => id === idOf(made));
    if (info === undefined) throw new Failure('denied', { what: 'the invitation', why: 'whoever makes it may not' });
    return { token, invitation: info };
  }

  /** Ends invitations, by id or by whom they are for. */
  async cancel(selector: string): Promise<InvitationInfo[]> {
    const meant = this.all.filter((one) => idOf(one) === selector || one.for.name === selector);
    if (meant.length === 0)
      throw new Failure('not-found', {
        what: `invitation ${quoted(selector)}`,
        why: 'none of this id, and for nobody of this name, is open',
        next: 'invite list',
      });
    const infos = this.list().filter(({ id }) => meant.some((one) => idOf(one) === id));
    await this.#write(this.all.filter((one) => !meant.includes(one)));
    return infos;
  }

  /**
   * Uses an invitation: `bind` is called once for it, whoever else comes with the same token meanwhile. It is gone from
   * disk before it is used, and comes back where `bind` rejects. Rejects with `denied` where there is none.
   */
  async use<T>(hash: string, bind: (invitation: Invitation) => Promise<T>): Promise<T> {
    const found = this.all.find((one) => one.hash === hash);
    if (found === undefined) throw new Failure('denied', { what: 'this login', why: 'it may not be used here' });
    await this.#write(this.all.filter((one) => one !== found));
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

  /** In memory at once: what is taken out here is out for the next caller. On disk in turn. */
  async #write(invitations: readonly Invitation[]): Promise<void> {
    this.#db.data = { invitations: [...invitations] };
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#db.write());
    await this.#writing;
  }
}

export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** What an invitation is called in lists: the beginning of its hash. */
export function idOf({ hash }: Invitation): string {
  return hash.slice(0, 12);
}
