/** Whether the Incus of this machine can hold containers. */
import { Failure } from '../../domain/failure.ts';
import type { IncusServer } from './documents.ts';
import type { Incus } from './incus.ts';

/** Why Incus is not usable, as a clause, if {@link isTrusted} is false. */
export const untrusted = 'Incus does not trust this user';

/** Reports whether Incus lets this process do everything. Others it only tells its version. */
export function isTrusted({ auth }: Pick<IncusServer, 'auth'>): boolean {
  return auth === 'trusted';
}

/** Returns why Incus is not usable, as a clause, or undefined if it is usable. Never rejects. */
export async function incusTrouble(incus: Pick<Incus, 'server' | 'pools' | 'networks'>): Promise<string | undefined> {
  try {
    const [server, pools, networks] = await Promise.all([incus.server(), incus.pools(), incus.networks()]);
    if (!isTrusted(server)) return untrusted;
    if (pools.length === 0) return 'Incus has no storage pool';
    if (!networks.some(({ managed, type }) => managed && type === 'bridge')) return 'Incus has no managed bridge';
    return undefined;
  } catch (error) {
    const failure = Failure.from(error);
    return `${failure.what}: ${failure.why}`;
  }
}
