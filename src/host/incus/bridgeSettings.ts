/**
 * The settings of the containers' bridge, so that its DHCP and DNS server (dnsmasq(8)) serves only known clients and
 * tells no tenant who else is there. `serve --real` sets them, and `doctor` compares them with what is in force.
 *
 * `dns.mode=none` alone hides nothing: it keeps Incus from naming its instances, and dnsmasq then takes the names that
 * the clients themselves send.
 */
import { isTrue } from './booleans.ts';
import { parseNetwork } from '../../domain/values/network.ts';
import { metadataPrefix } from './documents.ts';

type Config = Readonly<Record<string, string>>;

const defaultDomain = 'incus';

/** Returns the lines that `raw.dnsmasq` needs. */
function dnsmasqLines(config: Config): string[] {
  const own = config['ipv4.address'] ?? '';
  return [
    // Known is a client for which Incus has a fixed address. A made-up hardware address gets no lease.
    'dhcp-ignore=tag:!known',
    // No client puts a name into the DNS.
    'dhcp-ignore-names',
    // The host's own names, and what its DNS server says of itself, are not for tenants.
    'no-hosts',
    'no-ident',
    // No query for a container leaves the host: not by its plain name, its full name, or its address.
    'domain-needed',
    `local=/${config['dns.domain'] ?? defaultDomain}/`,
    ...(/^[\d.]+\/\d+$/.test(own) ? [`rev-server=${parseNetwork(own).text}`] : []),
  ];
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/**
 * Returns the settings that a bridge lacks, as a change of its configuration; empty if it lacks none. Lines of an admin
 * in `raw.dnsmasq` stay.
 */
export function missingBridgeSettings(config: Config): Config {
  const present = linesOf(config['raw.dnsmasq'] ?? '');
  const lines = dnsmasqLines(config).filter((line) => !present.includes(line));
  return {
    ...(config['dns.mode'] === 'none' ? {} : { 'dns.mode': 'none' }),
    ...(lines.length === 0 ? {} : { 'raw.dnsmasq': [...present, ...lines].join('\n') }),
  };
}

interface Instance {
  readonly name: string;
  readonly config: Config;
  readonly devices: Readonly<Record<string, Config>>;
  readonly expanded_devices?: Readonly<Record<string, Config>> | null | undefined;
}

/** Returns the NICs that an instance has on a bridge, those of its profiles included. */
function nicsOn(bridge: string, { devices, expanded_devices: expanded }: Instance): Config[] {
  return Object.values(expanded ?? devices).filter(
    (device) => device['type'] === 'nic' && (device['network'] === bridge || device['parent'] === bridge),
  );
}

/** Returns the names of instances on a bridge that have no fixed address there: it serves them no DHCP. */
export function withoutFixedAddress(bridge: string, instances: readonly Instance[]): string[] {
  // With IPv4 filtering Incus itself fixes an address.
  const isFixed = (nic: Config): boolean =>
    (nic['ipv4.address'] ?? '') !== '' || isTrue(nic['security.ipv4_filtering']);
  return instances.filter((instance) => nicsOn(bridge, instance).some((nic) => !isFixed(nic))).map(({ name }) => name);
}

/**
 * Returns why the settings cannot be added to a bridge without asking, or undefined. Other instances may rely on each
 * other's names, and other machines on the bridge's DHCP.
 */
export function othersOnBridge(
  bridge: { readonly name: string; readonly config: Config },
  instances: readonly Instance[],
): string | undefined {
  const isOurs = ({ config }: Instance): boolean => Object.keys(config).some((key) => key.startsWith(metadataPrefix));
  const others = instances.filter((instance) => !isOurs(instance) && nicsOn(bridge.name, instance).length > 0);
  if (others.length > 0) return `${others.map(({ name }) => name).join(', ')} use it too`;
  return (bridge.config['bridge.external_interfaces'] ?? '') === '' ? undefined : 'it has interfaces of other machines';
}
