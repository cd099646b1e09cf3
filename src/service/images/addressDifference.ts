/**
 * Finds containers whose fixed address is not written into them: those of a version that left it to DHCP, and those
 * whose address was changed in Incus. Such a container works, because the bridge's DHCP assigns it its address.
 */
import { isIPv4 } from 'node:net';
import { isFailure } from '../../domain/failure.ts';
import type { Username } from '../../domain/values/username.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import { addressOf } from '../instances/containers.ts';
import type { HostContext } from '../instances/context.ts';
import { field } from '../instances/metadata.ts';
import { findPlacement } from '../instances/placement.ts';
import { firstBootPath } from './recipe.ts';
import { appliedSeedPath, fixedAddress, writeFixedAddress } from './fixedAddress.ts';

/** Where ifupdown has its stanza for eth0; checked for the one that base images have. */
const interfacesPath = '/etc/network/interfaces';
const dhcpStanza = /^[ \t]*iface[ \t]+eth0[ \t]+inet[ \t]+dhcp[ \t]*$/m;

/** What the files say by which a base image lets eth0 have its address by DHCP, and what only an owner adds to them. */
interface Dhcp {
  readonly wanted: RegExp;
  readonly own: RegExp;
}
/** systemd.network(5). */
const networkd: Dhcp = {
  wanted: /^[ \t]*DHCP[ \t]*=[ \t]*(?:yes|true|ipv4)[ \t]*$/im,
  own: /^[ \t]*(?:\[(?:Address|Route|RoutingPolicyRule)\]|(?:Address|Gateway|DNS|VLAN|Bridge|Bond)[ \t]*=)/im,
};
/** netplan(5). */
const netplan: Dhcp = {
  wanted: /^[ \t]*dhcp4[ \t]*:[ \t]*["']?(?:true|yes|on)["']?[ \t]*$/im,
  own: /^[ \t]*(?:addresses|routes|routing-policy|gateway4|bridges|bonds|vlans)[ \t]*:/im,
};
const dhcpFiles: readonly (readonly [path: string, dhcp: Dhcp])[] = [
  ['/etc/systemd/network/eth0.network', networkd],
  ['/etc/netplan/10-lxc.yaml', netplan],
  ['/etc/netplan/50-cloud-init.yaml', netplan],
];

export interface AddressDifference {
  readonly detail: string;
  readonly fix: string | null;
  /** Absent if the container's network is not as its image had it: then only its owner can change it. */
  readonly repair?: () => Promise<void>;
}

/** Returns the difference of a container, or undefined. Changes nothing. */
export async function addressDifference(
  context: HostContext,
  { user, instance }: { readonly user: Username; readonly instance: IncusInstance },
  signal?: AbortSignal,
): Promise<AddressDifference | undefined> {
  const { name, config } = instance;
  const address = addressOf(instance);
  if (address === null || config[field.address]?.split('/')[0] === address) return undefined;
  const written = config[field.address];
  if (written !== undefined) return disagreement(context, user, instance, { noted: written, address });
  if (await isWritten(context, name, address, signal))
    return {
      detail: `${address} is written into it, but not noted in Incus`,
      fix: 'note it',
      repair: () => note(context, name, address),
    };
  const detail = 'its address comes by DHCP';
  const unknown = await unknownSetup(context, name, signal);
  if (unknown !== undefined) return { detail: `${detail}, and stays so: ${unknown}`, fix: null };
  return {
    detail,
    fix: 'write the address into it, for its next start',
    repair: async () => {
      const placement = await findPlacement(context);
      await writeFixedAddress(context.incus, name, { ...placement, address }, { withFiles: true });
      await note(context, name, address);
    },
  };
}

/**
 * Returns the instance with the address that counts, where Incus has one and the instance's note of what was written
 * into it another: the one to which the jump account leads, in a file that only root of the host writes.
 */
export async function withSettledAddress(
  { jumpKeys }: Pick<HostContext, 'jumpKeys'>,
  { user, instance }: { readonly user: Username; readonly instance: IncusInstance },
): Promise<IncusInstance> {
  const noted = instance.config[field.address]?.split('/')[0];
  const address = addressOf(instance);
  if (noted === undefined || noted === address || !isIPv4(noted)) return instance;
  if ((await jumpKeys.read(user))?.includes(`permitopen="${noted}:22"`) !== true) return instance;
  const devices = Object.entries(instance.devices).map(([name, device]) => [
    name,
    device['ipv4.address'] === address ? { ...device, 'ipv4.address': noted } : device,
  ]);
  return { ...instance, devices: Object.fromEntries(devices) as IncusInstance['devices'] };
}

/** Returns the difference between the address in Incus and the note of what was written into the container. */
async function disagreement(
  context: HostContext,
  user: Username,
  instance: IncusInstance,
  { noted, address }: { readonly noted: string; readonly address: string },
): Promise<AddressDifference> {
  const { incus } = context;
  const detail = `${noted} is written into it, but Incus has ${address}`;
  const { devices } = await withSettledAddress(context, { user, instance });
  const settled = addressOf({ ...instance, devices });
  if (settled === address)
    return { detail, fix: 'note the address of Incus', repair: () => note(context, instance.name, address) };
  const isTaken = (await incus.instances()).some(
    (other) =>
      other.name !== instance.name && Object.values(other.devices).some((device) => device['ipv4.address'] === settled),
  );
  return isTaken
    ? { detail: `${detail}, and another instance has the first`, fix: null }
    : { detail, fix: 'give it back in Incus', repair: () => incus.patch(instance.name, { devices }) };
}

/** Reports whether this address was written into the container and applied there. */
async function isWritten(
  { incus }: HostContext,
  name: string,
  address: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const text = await incus.pullFile(name, appliedSeedPath, signal === undefined ? {} : { signal });
  return text?.split('\n').some((line) => line.startsWith(`address=${address}/`)) === true;
}

async function note(context: HostContext, name: string, address: string): Promise<void> {
  const { gateway } = await findPlacement(context);
  await context.incus.patch(name, { config: { [field.address]: fixedAddress({ gateway, address }) } });
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
