/** `ban list`, `ban add`, `ban lift`. */
import type { Actor } from '../domain/access/actor.ts';
import type { BanInfo } from '../domain/access/ban.ts';
import { Failure } from '../domain/failure.ts';
import type { BanChange } from '../domain/results/bans.ts';
import { contains, parseNetwork, type Network } from '../domain/values/network.ts';
import type { OpenLogins, ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

/** Prefix length below which a ban needs `yes`: a wider network is probably a mistake. */
const widestBits = { 4: 8, 6: 32 } as const;
/** Prefix length below which only an admin may ban: fewer people than that can do without the server. */
const widestForOperators = { 4: 16, 6: 32 } as const;

interface BanRequest {
  readonly network: Network;
  /** In milliseconds; without it the ban is permanent. */
  readonly for?: number | undefined;
  readonly reason?: string | undefined;
  readonly yes?: boolean | undefined;
  /** Ban it although the caller or an admin is logged in from there. */
  readonly lockOut?: boolean | undefined;
}

export function listBans({ bans }: ServiceContext): Promise<{ readonly bans: readonly BanInfo[] }> {
  return Promise.resolve({ bans: bans.list() });
}

export async function addBan(
  { bans, logins }: ServiceContext,
  request: BanRequest,
  { actor }: Call,
): Promise<BanChange> {
  const { network, for: forMs, reason } = request;
  refuseWide(request, actor);
  refuseLockOut(request, actor, logins);
  return bans.add(network, { forMs, reason, by: actor.name });
}

export function liftBan({ bans }: ServiceContext, { network }: { readonly network: Network }): Promise<BanChange> {
  return bans.lift(network);
}

function refuseWide({ network, yes = false }: BanRequest, { role }: Actor): void {
  const { family, bits, text } = network;
  const what = `ban of ${text}`;
  if (bits < widestForOperators[family] && role !== 'admin' && role !== 'root')
    throw new Failure('denied', {
      what,
      why: `it is wider than a /${widestForOperators[family]}, which only an admin may ban`,
      next: 'ban narrower networks, or ask an admin',
    });
  if (bits < widestBits[family] && !yes)
    throw new Failure('confirmation-required', {
      what,
      why: `it is wider than a /${widestBits[family]}`,
      next: 'add --yes to ban it anyway',
    });
}

/** Refuses to ban where the caller or an admin is logged in from, without a second confirmation. */
function refuseLockOut(
  { network, yes = false, lockOut = false }: BanRequest,
  { address }: Actor,
  logins: Pick<OpenLogins, 'list'>,
): void {
  if (yes && lockOut) return;
  const has = (from: string | null | undefined): boolean =>
    from !== undefined && from !== null && contains(network, parseNetwork(from));
  const isOwn = has(address);
  const admins = logins.list().filter((login) => login.role === 'admin' && has(login.address));
  if (!isOwn && admins.length === 0) return;
  const names = [...new Set(admins.map(({ name }) => name))].sort();
  throw new Failure('confirmation-required', {
    what: `ban of ${network.text}`,
    why: isOwn ? 'it contains your own address' : `admins are logged in from it: ${names.join(', ')}`,
    next: `add --yes --lock-out to ban it anyway; ${isOwn ? 'you' : 'they'} will not be able to log in from there`,
  });
}
