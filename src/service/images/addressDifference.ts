/**
 * Finds containers whose fixed address is not written into them: those of a version that left it to DHCP, and those
 * whose address was changed in Incus. Such a container works, because the bridge's DHCP assigns it its address.
 */
import { isFailure } from '../../domain/failure.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import { addressOf } from '../instances/containers.ts';
import type { HostContext } from '../instances/context.ts';
import { field } from '../instances/metadata.ts';
import { findPlacement } from '../instances/placement.ts';
import { firstBootPath } from './recipe.ts';
import { fixedAddress, writeFixedAddress } from './fixedAddress.ts';

/** Where ifupdown has its stanza for eth0; checked for the one that base images have. */
const interfacesPath = '/etc/network/interfaces';
const dhcpStanza = /^\s*iface\s+eth0\s+inet\s+dhcp\s*$/m;

/** What the files say by which a base image lets eth0 have its address by DHCP, and what only an owner adds to them. */
interface Dhcp {
  readonly wanted: RegExp;
  readonly own: RegExp;
}
/** systemd.network(5). */
const networkd: Dhcp = {
  wanted: /^\s*DHCP\s*=\s*(?:yes|true|ipv4)\s*$/im,
  own: /^\s*(?:\[(?:Address|Route|RoutingPolicyRule)\]|(?:Address|Gateway|DNS|VLAN|Bridge|Bond)\s*=)/im,
};
/** netplan(5). */
const netplan: Dhcp = {
  wanted: /^\s*dhcp4\s*:\s*["']?(?:true|yes|on)["']?\s*$/im,
  own: /^\s*(?:addresses|routes|routing-policy|gateway4|bridges|bonds|vlans)\s*:/im,
};
const dhcpFiles: readonly (readonly [path: string, dhcp: Dhcp])[] = [
  ['/etc/systemd/network/eth0.network', networkd],
  ['/etc/netplan/10-lxc.yaml', netplan],
  ['/etc/netplan/50-cloud-init.yaml', netplan],
];

export interface AddressDifference {
  readonly detail: string;
  /** Absent if the container's network is not as its image had it: then only its owner can change it. */
  readonly repair?: () => Promise<void>;
}

/** Returns the difference of a container, or undefined. Changes nothing. */
export async function addressDifference(
  context: HostContext,
  instance: IncusInstance,
  signal?: AbortSignal,
): Promise<AddressDifference | undefined> {
  const { name, config } = instance;
  const address = addressOf(instance);
  if (address === null || config[field.address]?.split('/')[0] === address) return undefined;
  const written = config[field.address];
  const detail =
    written === undefined ? 'its address comes by DHCP' : `${written} is written into it, but Incus has ${address}`;
  // The unit replaces no address that it wrote, or that the owner has changed since.
  if (written !== undefined) return { detail };
  const unknown = await unknownSetup(context, name, signal);
  if (unknown !== undefined) return { detail: `${detail}, and stays so: ${unknown}` };
  return {
    detail,
    repair: async () => {
      const placement = await findPlacement(context);
      await writeFixedAddress(context.incus, name, { ...placement, address }, { withFiles: true });
      await context.incus.patch(name, {
        config: { [field.address]: fixedAddress({ gateway: placement.gateway, address }) },
      });
    },
  };
}

/** Returns why the network of a container is not set up as its image had it, or undefined. */
async function unknownSetup(
  { incus }: HostContext,
  name: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const read = (path: string): Promise<string | undefined> =>
    incus.pullFile(name, path, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      // The container's root decides how large its files are.
      if (isFailure(error, 'unexpected-output')) return '';
      throw error;
    });
  if ((await read(firstBootPath)) === undefined) return 'it was not made from a prepared image';
  if (dhcpStanza.test((await read(interfacesPath)) ?? '')) return undefined;
  const found: boolean[] = [];
  for (const [path, { wanted, own }] of dhcpFiles) {
    const text = await read(path);
    if (text !== undefined) found.push(wanted.test(text) && !own.test(text));
  }
  return found.length > 0 && found.every(Boolean) ? undefined : 'its network was set up by its owner';
}
