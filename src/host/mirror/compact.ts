/** What is kept of an instance in memory. */
import type { IncusInstance } from '../incus/documents.ts';

/** Root in a container can give an interface any number of addresses. */
const maxAddresses = 8;

/**
 * Returns an instance without the networks in it but the first addresses of the interface that lists show: a Docker
 * host has hundreds of networks, and its root may add more.
 */
export function compact(instance: IncusInstance): IncusInstance {
  const { state } = instance;
  if (state === undefined || state === null) return instance;
  const eth0 = state.network?.['eth0'];
  if (eth0 === undefined) return { ...instance, state: { ...state, network: null } };
  const addresses = eth0.addresses?.filter(({ family, scope }) => family === 'inet' && scope === 'global');
  return {
    ...instance,
    state: { ...state, network: { eth0: { ...eth0, addresses: addresses?.slice(0, maxAddresses) } } },
  };
}
