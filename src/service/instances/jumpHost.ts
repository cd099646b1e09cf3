/** The name of this host, as users of its containers reach it. */
import { isLoopback } from '../../domain/values/network.ts';
import type { Call, HostContext } from './context.ts';

/**
 * Returns `jump.hostname`, or the address that the caller connected to, or undefined. A loopback address leads only
 * the caller to this host, so it is returned only to owners, who ask for themselves.
 */
export function jumpHost(
  { settings }: Pick<HostContext, 'settings'>,
  { actor, reachedAt }: Pick<Call, 'actor' | 'reachedAt'>,
): string | undefined {
  const { hostname } = settings.jump;
  if (hostname !== undefined || reachedAt === undefined) return hostname;
  return actor.entryPoint !== 'self' && isLoopback(reachedAt) ? undefined : reachedAt;
}

/** Returns a warning if texts for users cannot name this host. */
export function hostnameWarnings({ settings }: Pick<HostContext, 'settings'>): string[] {
  return settings.jump.hostname === undefined
    ? ['jump.hostname is not set, so ssh configurations may name an address that users cannot reach']
    : [];
}
