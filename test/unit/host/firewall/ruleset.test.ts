import { describe, expect, it } from 'vitest';
import {
  renderRemoval,
  renderRuleset,
  rulesetId,
  tableName,
  type FirewallPlan,
} from '../../../../src/host/firewall/ruleset.ts';

const plan: FirewallPlan = {
  bridge: 'incusbr0',
  gateway: '10.0.3.1/29',
  ipv6: false,
  nameservers: ['10.0.3.1'],
  deniedNetworks: ['169.254.0.0/16', 'fe80::/10', '192.168.1.0/24'],
  hostPorts: [],
  maxConnections: 8192,
};
const ruleset = (change: Partial<FirewallPlan> = {}): string => renderRuleset({ ...plan, ...change });
const elementsOf = (text: string, set: string): string[] => {
  const [, list = ''] = new RegExp(`set ${set} \\{[^{]*elements = \\{ ([^}]*) \\}`).exec(text) ?? [];
  return list.split(', ').filter((element) => element !== '');
};

describe('the ruleset', () => {
  it('replaces both tables in one file', () => {
    expect(ruleset().split('\n').slice(1, 5)).toEqual([
      'table bridge containarium_incusbr0',
      'delete table bridge containarium_incusbr0',
      'table inet containarium_incusbr0',
      'delete table inet containarium_incusbr0',
    ]);
  });

  it('lists every address that a container can have with its port, and not the gateway', () => {
    expect(elementsOf(ruleset(), 'addresses')).toEqual(
      [2, 3, 4, 5, 6].map((last) => `"ctn0a00030${last}" . 10.0.3.${last}`),
    );
    expect(elementsOf(ruleset(), 'macs')[0]).toBe('"ctn0a000302" . 02:c7:0a:00:03:02');
    expect(elementsOf(ruleset(), 'dhcp_clients')[0]).toBe('"ctn0a000302" . 0x02c70a000302');
  });

  it('protects the MAC addresses of the ports that it lists, no more than 4096 of a large network', () => {
    expect(ruleset()).toContain('ether saddr 02:c7:0a:00:03:00-02:c7:0a:00:03:07 iifname');
    const large = ruleset({ gateway: '10.64.0.1/16' });
    expect(elementsOf(large, 'addresses')).toHaveLength(4095);
    expect(elementsOf(large, 'macs').at(-1)).toContain('02:c7:0a:40:10:00');
    expect(large).toContain('ether saddr 02:c7:0a:40:00:00-02:c7:0a:40:10:00 iifname');
  });

  it('lets a container answer with ICMP errors only about packets that it got', () => {
    const rules = ruleset();
    expect(rules).toContain('iifname . @th,192,32 != @inner drop');
    // 10.0.3.2 on its port.
    expect(rules).toMatch(/set inner \{[^}]*"ctn0a000302" \. 0x0a000302/);
    expect(ruleset({ ipv6: true })).toMatch(/icmpv6 type \{ destination-unreachable, [^}]*\} drop/);
  });

  it('lets nothing pass between containers, also what belongs to a connection', () => {
    const forward = ruleset().split('chain forward')[1] ?? '';
    expect(forward.indexOf('oifname')).toBeLessThan(forward.indexOf('ct state established'));
  });

  it('limits the fragments of each container', () => {
    expect(ruleset()).toContain('add @fragments { iifname limit rate over 100/second');
  });

  it('drops fragments to the DHCP server, whose client no rule could read', () => {
    expect(ruleset()).toContain('ip daddr { 10.0.3.1, 10.0.3.7, 255.255.255.255 } ip frag-off & 0x3fff != 0 drop');
    expect(ruleset()).toContain('ip daddr { 10.0.3.1, 10.0.3.7, 255.255.255.255 } udp dport 67 accept');
  });

  it('counts connections and DNS of IPv6 by the MAC address', () => {
    expect(ruleset()).not.toContain('tracked6');
    expect(ruleset({ ipv6: true })).toContain('ct state new add @tracked6 { ether saddr ct count over 8192 } drop');
    expect(ruleset({ ipv6: true })).toContain('udp dport 53 add @dns_queries6 { ether saddr limit rate over');
  });

  it('lets containers reach the name servers of the bridge in a denied network, before it denies that', () => {
    expect(ruleset()).not.toMatch(/ip daddr 10\.0\.3\.1 .*\n.*@denied4/);
    const text = ruleset({ nameservers: ['192.168.1.53', 'fd00::53'] });
    const allowed = 'meta l4proto { tcp, udp } th dport 53 accept\n';
    expect(text).toContain(
      `    ip daddr 192.168.1.53 ${allowed}    ip6 daddr fd00::53 ${allowed}    ip daddr @denied4 drop`,
    );
  });

  it('drops IPv6 on a bridge without IPv6, and lets neighbour discovery through on one with it', () => {
    expect(ruleset()).toContain('ether type != { ip, arp } drop');
    expect(ruleset()).not.toContain('icmpv6');
    expect(ruleset({ ipv6: true })).toContain('ether type != { ip, arp, ip6 } drop');
    expect(ruleset({ ipv6: true })).toContain('icmpv6 type { nd-neighbor-solicit,');
  });

  it('denies networks by family', () => {
    expect(ruleset()).toMatch(/set denied4 \{.* elements = \{ 169\.254\.0\.0\/16, 192\.168\.1\.0\/24 \}/);
    expect(ruleset()).toMatch(/set denied6 \{.* elements = \{ fe80::\/10 \}/);
    expect(ruleset({ deniedNetworks: [] })).toContain('set denied4 { type ipv4_addr; flags interval; auto-merge; }');
  });

  it('opens ports of the host by protocol', () => {
    expect(ruleset()).not.toMatch(/(tcp|udp) dport \{/);
    const open = ruleset({
      hostPorts: [
        { port: 2222, protocol: 'tcp' },
        { port: 80, protocol: 'tcp' },
        { port: 123, protocol: 'udp' },
      ],
    });
    expect(open).toContain('tcp dport { 2222, 80 } accept');
    expect(open).toContain('udp dport { 123 } accept');
  });

  it('carries an id that changes with every part of the plan', () => {
    const changes: readonly Partial<FirewallPlan>[] = [
      {},
      { gateway: '10.0.3.2/29' },
      { ipv6: true },
      { nameservers: ['192.168.1.53'] },
      { deniedNetworks: [] },
      { hostPorts: [{ port: 22, protocol: 'tcp' }] },
      { maxConnections: 100 },
    ];
    const ids = changes.map((change) => rulesetId({ ...plan, ...change }));
    expect(new Set(ids).size).toBe(changes.length);
    expect(ruleset().split(`comment "${ids[0] ?? ''}"`)).toHaveLength(3);
  });

  it('names its tables after the bridge, with letters, digits and underscores alone', () => {
    expect(tableName('br-lan.1')).toBe('containarium_br_lan_1');
    expect(renderRemoval('br0')).toBe(
      'table bridge containarium_br0\ndelete table bridge containarium_br0\ntable inet containarium_br0\ndelete table inet containarium_br0\n',
    );
  });
});
