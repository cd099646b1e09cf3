/** `ban list`, `ban add`, `ban lift`. */
import type { BanInfo } from '../domain/access/ban.ts';
import type { BanChange } from '../domain/results/bans.ts';
import type { Network } from '../domain/values/network.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

export function listBans({ bans }: ServiceContext): Promise<{ readonly bans: readonly BanInfo[] }> {
  return Promise.resolve({ bans: bans.list() });
}

/** Bans a network. `for` is in milliseconds; without it the ban is permanent. */
export function addBan(
  { bans }: ServiceContext,
  {
    network,
    for: forMs,
    reason,
    yes = false,
  }: {
    readonly network: Network;
    readonly for?: number | undefined;
    readonly reason?: string | undefined;
    readonly yes?: boolean | undefined;
  },
  { actor }: Call,
): Promise<BanChange> {
  return bans.add(network, { forMs, reason, by: actor.name, yes, own: actor.address });
}

export function liftBan({ bans }: ServiceContext, { network }: { readonly network: Network }): Promise<BanChange> {
  return bans.lift(network);
}
