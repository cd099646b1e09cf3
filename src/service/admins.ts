/** `admin add`, `admin list`, `admin role`, `admin remove`. */
import type { LimitedKey } from '../domain/keys/keyLimits.ts';
import type { AdminChange, AdminInfo } from '../domain/results/admins.ts';
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
  return admins.add(name, { keys: limited, role, certificate }, actor.name, now());
}

export function listAdmins({ admins }: ServiceContext): Promise<{ readonly admins: readonly AdminInfo[] }> {
  return Promise.resolve({ admins: admins.list() });
}

export function setAdminRole(
  { admins }: ServiceContext,
  { name, role, yes }: { readonly name: string; readonly role: AdminRole; readonly yes?: boolean | undefined },
  call: Pick<Call, 'actor'>,
): Promise<AdminChange> {
  return admins.setRole(name, role, unconfirmed(yes, call));
}

/** Removes an admin by name, or a key by its fingerprint or comment. */
export function removeAdmin(
  { admins }: ServiceContext,
  { admin, yes }: { readonly admin: string; readonly yes?: boolean | undefined },
  call: Pick<Call, 'actor'>,
): Promise<AdminChange> {
  return admins.remove(admin, unconfirmed(yes, call));
}

/** Returns the caller if they could end their own login by the call and have not confirmed that. */
function unconfirmed(yes: boolean | undefined, { actor }: Pick<Call, 'actor'>): Unconfirmed | undefined {
  if (yes === true || actor.entryPoint !== 'manage') return undefined;
  return { name: actor.name, fingerprint: actor.fingerprint };
}
