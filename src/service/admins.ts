/** `admin add`, `admin list`, `admin role`, `admin remove`. */
import type { LimitedKey } from '../domain/keys/keyLimits.ts';
import type { AdminChange, AdminInfo } from '../domain/results/admins.ts';
import type { InvitationInfo } from '../domain/results/invitations.ts';
import { plural } from '../domain/text.ts';
import type { AdminRole, Unconfirmed } from './access/adminStore.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

export interface AdminAddition {
  readonly name: string;
  readonly keys?: readonly LimitedKey[] | undefined;
  readonly role?: AdminRole | undefined;
  /** Applies to every key, and replaces the same limit in the options of a key. */
  readonly from?: string | undefined;
  readonly expires?: string | undefined;
  readonly certificate?: boolean | undefined;
}

export function addAdmin(
  { admins, now }: ServiceContext,
  { name, keys = [], role, from, expires, certificate }: AdminAddition,
  { actor }: Call,
): Promise<AdminChange> {
  const common = {
    ...(from === undefined ? {} : { from }),
    ...(expires === undefined ? {} : { expiresAt: expires }),
  };
  const limited = keys.map((key) => ({ ...key, limits: { ...key.limits, ...common } }));
  const newRole = role ?? (admins.named(name) === undefined ? 'admin' : undefined);
  return admins.add(name, { keys: limited, role: newRole, certificate }, actor.name, now());
}

export function listAdmins({ admins }: ServiceContext): Promise<{ readonly admins: readonly AdminInfo[] }> {
  return Promise.resolve({ admins: admins.list() });
}

export async function setAdminRole(
  { admins, invitations }: ServiceContext,
  { name, role, yes }: { readonly name: string; readonly role: AdminRole; readonly yes?: boolean | undefined },
  call: Pick<Call, 'actor'>,
): Promise<AdminChange> {
  const change = await admins.setRole(name, role, unconfirmed(yes, call));
  await invitations.prune();
  return change;
}

/**
 * Removes an admin by name, or a key by its fingerprint or comment. The invitations for a removed admin end, also those
 * for one who has not joined yet, and so do those that the admin has made.
 */
export async function removeAdmin(
  { admins, invitations }: ServiceContext,
  { admin, yes }: { readonly admin: string; readonly yes?: boolean | undefined },
  call: Pick<Call, 'actor'>,
): Promise<AdminChange> {
  const isInvited = invitations.all.some(({ for: { kind, name } }) => kind === 'admin' && name === admin);
  if (admins.named(admin) === undefined && isInvited) {
    const note = cancelled(await invitations.endOfAdmin(admin));
    return { name: admin, added: [], changed: [], removed: [], note: `had not joined; ${note}`, admins: admins.list() };
  }
  const ended: InvitationInfo[] = [];
  const change = await admins.remove(admin, unconfirmed(yes, call), async (name) => {
    ended.push(...(await invitations.endOfAdmin(name)));
  });
  if (ended.length === 0) return change;
  return { ...change, note: [...(change.note === null ? [] : [change.note]), cancelled(ended)].join('; ') };
}

function cancelled(ended: readonly InvitationInfo[]): string {
  return `${plural(ended.length, 'open invitation was', 'open invitations were')} cancelled`;
}

/** Returns the caller if they could end their own login by the call and have not confirmed that. */
function unconfirmed(yes: boolean | undefined, { actor }: Pick<Call, 'actor'>): Unconfirmed | undefined {
  if (yes === true || actor.entryPoint !== 'manage') return undefined;
  return { name: actor.name, fingerprint: actor.fingerprint };
}
