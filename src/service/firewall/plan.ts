/** The firewall that this host needs: it follows from the settings, the bridge, and the networks of this host. */
import { privateNetworks } from '../../host/firewall/hostNetworks.ts';
import type { FirewallPlan } from '../../host/firewall/ruleset.ts';
import type { HostContext } from '../instances/context.ts';
import { findPlacement } from '../instances/placement.ts';

type Context = Pick<HostContext, 'host' | 'incus' | 'settings'>;

/**
 * Networks that containers never need: link-local (RFC 3927, RFC 4291), where most clouds have their metadata service,
 * and the addresses of those that have it elsewhere: Azure, Alibaba Cloud, AWS and Google Cloud over IPv6.
 */
const linkLocal = ['169.254.0.0/16', 'fe80::/10'];
const metadataServices = ['168.63.129.16', '100.100.100.200', 'fd00:ec2::254', 'fd20:ce::254'];

/** Returns what the firewall of this host has to be. Rejects if Incus does not answer or has no bridge. */
export async function planFirewall({ host, incus, settings }: Context, signal?: AbortSignal): Promise<FirewallPlan> {
  const { network, gateway, ipv6, nameservers } = await findPlacement({ incus, settings }, signal);
  const { deniedNetworks, hostPorts, maxConnections } = settings.firewall;
  const own = host.simulated ? [] : privateNetworks({ name: network, gateway });
  return {
    bridge: network,
    gateway,
    ipv6,
    nameservers,
    deniedNetworks: deniedNetworks ?? [...linkLocal, ...metadataServices, ...own],
    hostPorts,
    maxConnections,
  };
}
