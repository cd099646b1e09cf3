/** Whether the Incus of this machine can hold containers. */
import { Failure } from '../../domain/failure.ts';
import type { Incus } from './incus.ts';

/** Returns why Incus is not usable, as a clause, or undefined if it is usable. Never rejects. */
export async function incusTrouble(incus: Pick<Incus, 'server' | 'pools' | 'networks'>): Promise<string | undefined> {
  try {
    const [server, pools, networks] = await Promise.all([incus.server(), incus.pools(), incus.networks()]);
    if (server.auth !== 'trusted') return 'Incus does not trust this user';
    if (pools.length === 0) return 'Incus has no storage pool';
    if (!networks.some(({ managed, type }) => managed && type === 'bridge')) return 'Incus has no managed bridge';
    return undefined;
  } catch (error) {
    const failure = Failure.from(error);
    return `${failure.what}: ${failure.why}`;
  }
}
