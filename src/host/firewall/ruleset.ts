/**
 * The rules of the firewall between containers, host and world, as text for `nft -f` (nft(8)).
 *
 * Everything follows from the bridge, its network and the settings: no rule changes when a container is created,
 * started or deleted. So the tables can be loaded before Incus starts, and stay right without this program.
 *
 * They are loaded in one transaction. Incus has tables of its own, which are left alone: a packet must pass both.
 */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { parseNetwork } from '../../domain/values/network.ts';
import { addressOf, portOf, portPrefix, subnetOf } from './ports.ts';

/** A port of the host. */
export interface HostPort {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
}

export interface FirewallPlan {
  readonly bridge: string;
  /** The host's address on the bridge with the prefix length: `10.0.3.1/24`. */
  readonly gateway: string;
  /** Whether the bridge's network has IPv6. */
  readonly ipv6: boolean;
  /** Name servers that containers are told to use. They may reach their port 53 in denied networks too. */
  readonly nameservers: readonly string[];
  /** Networks that containers may not reach: addresses and CIDR networks of both families. */
  readonly deniedNetworks: readonly string[];
  /** Ports of the host that containers may reach, in addition to DNS and DHCP. */
  readonly hostPorts: readonly HostPort[];
  /** Maximum number of connections that the kernel tracks for one container (nf_conntrack). */
  readonly maxConnections: number;
}

/**
 * Number of addresses, from the first of the network on, whose ports are guarded. Addresses are given from below, and
 * to load 65,536 takes seconds.
 */
const maxAddresses = 4096;

/**
 * DNS of one container: queries a second, and open TCP connections. dnsmasq serves 150 queries and 20 TCP connections
 * at the same time (dnsmasq(8), `--dns-forward-max`; MAX_PROCS in its source), for all containers together. A query
 * whose name server does not answer waits for seconds: of 100 queries a second of one container, three in four of
 * another were refused (measured).
 */
const maxDnsQueriesPerSecond = 20;
const maxDnsBurst = 200;
const maxDnsConnections = 4;

/**
 * Fragments of one container a second. The host puts all of them together to track connections, in memory of 4 MiB
 * unless net.ipv4.ipfrag_high_thresh says otherwise; what lacks its rest stays there for 30 s
 * (Documentation/networking/ip-sysctl.rst).
 */
const maxFragmentsPerSecond = 100;

/** Returns the name of the two tables, one of the family `bridge` and one of `inet`. */
export function tableName(bridge: string): string {
  return `containarium_${bridge.replace(/[^A-Za-z0-9]/g, '_')}`;
}

/** Renders the file that replaces both tables. */
export function renderRuleset(plan: FirewallPlan): string {
  const table = tableName(plan.bridge);
  const tables = [`bridge ${table}`, `inet ${table}`];
  return [
    '# Written by containarium; changes are overwritten. What containers may send, see docs/security.md.',
    // A table must exist before it can be deleted; nft(8) has "destroy" only since 1.0.7.
    ...tables.flatMap((name) => [`table ${name}`, `delete table ${name}`]),
    tablesOf(plan, rulesetId(plan)),
    '',
  ].join('\n');
}

/** Renders the file that removes both tables. */
export function renderRemoval(bridge: string): string {
  const table = tableName(bridge);
  return [`bridge ${table}`, `inet ${table}`].map((name) => `table ${name}\ndelete table ${name}\n`).join('');
}

/** Returns an id that changes with the rules, also between versions. The tables carry it as their comment. */
export function rulesetId(plan: FirewallPlan): string {
  return createHash('sha256').update(tablesOf(plan, '')).digest('hex').slice(0, 16);
}

function tablesOf(plan: FirewallPlan, id: string): string {
  const table = tableName(plan.bridge);
  return [bridgeTable(table, plan, id), inetTable(table, plan, id)].join('\n');
}

/**
 * Frames from containers. The chain runs before the bridge learns the source of a frame (NF_BR_PRE_ROUTING comes
 * before br_fdb_update in br_handle_frame_finish, net/bridge/br_input.c); Incus's own chains run after it, when the
 * bridge already sends the neighbour's traffic to the wrong port.
 */
function bridgeTable(table: string, plan: FirewallPlan, id: string): string {
  const { first, last, gateway } = subnetOf(plan.gateway);
  const lastGuarded = Math.min(last, first + maxAddresses);
  const addresses = Array.from({ length: Math.min(last - first - 1, maxAddresses) }, (_, i) =>
    addressOf(first + 1 + i),
  ).filter((address) => address !== gateway);
  const ports = addresses.map((address) => ({ address, ...portOf(address) }));
  const elements = (right: (port: (typeof ports)[number]) => string): string =>
    ports.map((port) => `"${port.hostName}" . ${right(port)}`).join(', ');
  // No further than the ports: a container with a higher address has a port that is not listed.
  const macs = `${portOf(addressOf(first)).mac}-${portOf(addressOf(lastGuarded)).mac}`;
  return `
table bridge ${table} {
  comment "${id}"
  set ports {
    type ifname
    elements = { ${ports.map(({ hostName }) => `"${hostName}"`).join(', ')} }
  }
  set macs {
    type ifname . ether_addr
    elements = { ${elements(({ mac }) => mac)} }
  }
  set addresses {
    type ifname . ipv4_addr
    elements = { ${elements(({ address }) => address)} }
  }
  set inner {
    typeof iifname . @th,192,32
    elements = { ${elements(({ address }) => hexOf(address))} }
  }
  set fragments {
    type ifname
    flags dynamic
    size 65535
  }
  set dhcp_clients {
    typeof iifname . @th,288,48
    elements = { ${elements(({ mac }) => `0x${mac.replaceAll(':', '')}`)} }
  }
  chain prerouting {
    type filter hook prerouting priority dstnat; policy accept;
    # No other port may use the MAC address of a container, so that the bridge never learns it there.
    ether saddr ${macs} iifname . ether saddr != @macs drop
    # Not "${portPrefix}*": another bridge of this host may have its own tables.
    iifname != @ports accept
    iifname . ether saddr != @macs drop
    # Anything else than IP and ARP, such as VLAN tags and spanning tree, which the filters below would not see.
    ether type != { ip, arp${plan.ipv6 ? ', ip6' : ''} } drop
    arp saddr ip != 0.0.0.0 iifname . arp saddr ip != @addresses drop
    ip saddr != 0.0.0.0 iifname . ip saddr != @addresses drop
    # Only DHCP clients have no address yet.
    ip saddr 0.0.0.0 ip protocol != udp drop
    ip saddr 0.0.0.0 udp sport != 68 drop
    # Fragments, which the next rule cannot read. The host would put them together.
    ip daddr { ${[gateway, addressOf(last), '255.255.255.255'].join(', ')} } ip frag-off & 0x3fff != 0 drop
    ip frag-off & 0x3fff != 0 add @fragments { iifname limit rate over ${maxFragmentsPerSecond}/second burst ${2 * maxFragmentsPerSecond} packets } drop
    # An ICMP error carries the packet that it is about (RFC 792), which a container can only have got at its own
    # address. Otherwise it would reach connections of the host and of neighbours, as related to them.
    ip protocol icmp icmp type { ${icmpErrors} } ip frag-off & 0x3fff != 0 drop
    ip protocol icmp icmp type { ${icmpErrors} } iifname . @th,192,32 != @inner drop${
      // A container may choose its addresses of IPv6, so they cannot be compared.
      plan.ipv6
        ? `
    icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } drop`
        : ''
    }
    # A DHCP client speaks for itself alone: the client hardware address (RFC 2131, section 2) is its own.
    udp dport 67 iifname . @th,288,48 != @dhcp_clients drop
  }
}`;
}

/** Packets from containers to the host and through it. */
function inetTable(table: string, plan: FirewallPlan, id: string): string {
  const { gateway, last } = subnetOf(plan.gateway);
  const denied = plan.deniedNetworks.map(parseNetwork);
  const family = (wanted: 4 | 6): string[] => denied.filter((each) => each.family === wanted).map(({ text }) => text);
  const hostPorts = (['tcp', 'udp'] as const).flatMap((protocol) => {
    const numbers = plan.hostPorts.filter((each) => each.protocol === protocol).map(({ port }) => port);
    return numbers.length === 0 ? [] : [`    ${protocol} dport { ${numbers.join(', ')} } accept`];
  });
  const nameservers = plan.nameservers
    // An address with a zone (RFC 4007) is none of another host's.
    .filter((server) => server !== gateway && !server.includes('%'))
    .map(
      (server) => `    ip${isIPv6(server) ? '6' : ''} daddr ${server} meta l4proto { tcp, udp } th dport 53 accept\n`,
    );
  const neighbourDiscovery = 'nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit';
  return `
table inet ${table} {
  comment "${id}"
  ${sourceSets.map((name) => dynamicSet(name, 'ipv4_addr')).join('\n  ')}
  ${plan.ipv6 ? sourceSets.map((name) => dynamicSet(`${name}6`, 'ether_addr')).join('\n  ') : ''}
  ${intervalSet('denied4', 'ipv4_addr', family(4))}
  ${intervalSet('denied6', 'ipv6_addr', family(6))}
  chain prerouting {
    type filter hook prerouting priority mangle; policy accept;
    iifname != "${plan.bridge}" accept
    ct state new add @tracked { ip saddr ct count over ${plan.maxConnections} } drop${
      // A container can choose among many addresses of IPv6, but has one MAC address.
      plan.ipv6
        ? `
    meta nfproto ipv6 ct state new add @tracked6 { ether saddr ct count over ${plan.maxConnections} } drop`
        : ''
    }
  }
  chain input {
    type filter hook input priority filter - 10; policy accept;
    iifname != "${plan.bridge}" accept
    udp dport 53 add @dns_queries { ip saddr ${dnsRate} } drop
    tcp dport 53 ct state new add @dns_connections { ip saddr ct count over ${maxDnsConnections} } drop${
      plan.ipv6
        ? `
    meta nfproto ipv6 udp dport 53 add @dns_queries6 { ether saddr ${dnsRate} } drop
    meta nfproto ipv6 tcp dport 53 ct state new add @dns_connections6 { ether saddr ct count over ${maxDnsConnections} } drop`
        : ''
    }
    ct state established,related accept
    ip daddr ${gateway} meta l4proto { tcp, udp } th dport 53 accept
    ip daddr { ${[gateway, addressOf(last), '255.255.255.255'].join(', ')} } udp dport 67 accept
    icmp type echo-request add @pings { ip saddr limit rate over 10/second burst 20 packets } drop
    ip daddr ${gateway} icmp type echo-request accept${
      plan.ipv6
        ? `
    icmpv6 type { ${neighbourDiscovery} } accept
    meta nfproto ipv6 meta l4proto { tcp, udp } th dport 53 accept
    meta nfproto ipv6 udp dport 547 accept`
        : ''
    }
${hostPorts.map((line) => `${line}\n`).join('')}    drop
  }
  chain forward {
    type filter hook forward priority filter - 10; policy accept;
    iifname != "${plan.bridge}" accept
    oifname "${plan.bridge}" drop
    ct state established,related accept
${nameservers.join('')}    ip daddr @denied4 drop
    ip6 daddr @denied6 drop
  }
}`;
}

const icmpErrors = 'destination-unreachable, source-quench, redirect, time-exceeded, parameter-problem';

/** Returns an address as nftables compares raw bytes. */
function hexOf(address: string): string {
  return `0x${address
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')}`;
}

function intervalSet(name: string, type: string, elements: readonly string[]): string {
  const list = elements.length === 0 ? '' : ` elements = { ${elements.join(', ')} };`;
  return `set ${name} { type ${type}; flags interval; auto-merge;${list} }`;
}

/** The sets of what is counted for each source. */
const sourceSets = ['tracked', 'dns_queries', 'dns_connections', 'pings'] as const;

const dnsRate = `limit rate over ${maxDnsQueriesPerSecond}/second burst ${maxDnsBurst} packets`;

/** A set that the kernel fills, with one counter for each source. */
function dynamicSet(name: string, type: 'ipv4_addr' | 'ether_addr'): string {
  return `set ${name} { type ${type}; flags dynamic; size 65535; }`;
}
