import { describe, expect, it } from 'vitest';
import {
  missingBridgeSettings,
  othersOnBridge,
  withoutFixedAddress,
} from '../../../../src/host/incus/bridgeSettings.ts';

const open = { 'ipv4.address': '10.0.3.1/24' };
const nic = (more: Record<string, string> = {}): Record<string, Record<string, string>> => ({
  eth0: { type: 'nic', network: 'incusbr0', ...more },
});
const ours = {
  name: 'alice-container',
  config: { 'user.containarium.owner': 'alice' },
  devices: nic({ 'ipv4.address': '10.0.3.100' }),
};

describe('the settings that a bridge lacks', () => {
  it('are all of them on a bridge as Incus makes it', () => {
    expect(missingBridgeSettings(open)).toEqual({
      'dns.mode': 'none',
      'raw.dnsmasq':
        'dhcp-ignore=tag:!known\ndhcp-ignore-names\nno-hosts\nno-ident\ndomain-needed\nlocal=/incus/\nrev-server=10.0.3.0/24',
    });
  });

  it('are none once they are set', () => {
    expect(missingBridgeSettings({ ...open, ...missingBridgeSettings(open) })).toEqual({});
  });

  it('keep the lines of an admin, and follow the domain and the network of the bridge', () => {
    const missing = missingBridgeSettings({
      'ipv4.address': '172.16.5.1/22',
      'dns.mode': 'none',
      'dns.domain': 'lab.example',
      'raw.dnsmasq': 'server=192.0.2.53\r\nno-hosts\n',
    });
    expect(Object.keys(missing)).toEqual(['raw.dnsmasq']);
    const lines = missing['raw.dnsmasq']?.split('\n');
    expect(lines?.slice(0, 2)).toEqual(['server=192.0.2.53', 'no-hosts']);
    expect(lines).toContain('local=/lab.example/');
    expect(lines).toContain('rev-server=172.16.4.0/22');
    expect(lines?.filter((line) => line === 'no-hosts')).toHaveLength(1);
  });

  it('have no reverse zone on a bridge without an address', () => {
    expect(missingBridgeSettings({ 'ipv4.address': 'none' })['raw.dnsmasq']).not.toContain('rev-server');
  });
});

describe('a bridge', () => {
  const bridge = { name: 'incusbr0', config: open };

  it('is ours alone if only our instances are on it', () => {
    const elsewhere = { name: 'db', config: {}, devices: { eth0: { type: 'nic', network: 'br1' } } };
    expect(othersOnBridge(bridge, [ours, elsewhere])).toBeUndefined();
    expect(othersOnBridge(bridge, [])).toBeUndefined();
  });

  it('is not ours alone if another instance is on it, even by a profile', () => {
    const other = { name: 'db', config: {}, devices: {}, expanded_devices: nic() };
    expect(othersOnBridge(bridge, [ours, other])).toBe('db use it too');
  });

  it('is not ours alone if it has interfaces of other machines', () => {
    const config = { ...open, 'bridge.external_interfaces': 'eth1' };
    expect(othersOnBridge({ ...bridge, config }, [ours])).toContain('other machines');
  });

  it('serves no DHCP to an instance without a fixed address', () => {
    const free = { name: 'db', config: {}, devices: nic() };
    const filtered = { name: 'web', config: {}, devices: nic({ 'security.ipv4_filtering': 'true' }) };
    expect(withoutFixedAddress('incusbr0', [ours, free, filtered])).toEqual(['db']);
  });
});
