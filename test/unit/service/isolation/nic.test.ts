import { describe, expect, it } from 'vitest';
import { makeNic, unboundNics } from '../../../../src/service/isolation/nic.ts';

describe('the network interface of a container', () => {
  it('has a name on the host and a MAC address of its own, and filters', () => {
    expect(makeNic('incusbr0', '10.0.3.100')).toEqual({
      type: 'nic',
      name: 'eth0',
      network: 'incusbr0',
      'ipv4.address': '10.0.3.100',
      host_name: 'ctn0a000364',
      hwaddr: '02:c7:0a:00:03:64',
      'security.port_isolation': 'true',
      'security.mac_filtering': 'true',
      'security.ipv4_filtering': 'true',
    });
  });

  it('is bound to its address if an earlier version made it, and keeps its other options', () => {
    const old = { type: 'nic', name: 'eth0', network: 'br', 'ipv4.address': '10.0.3.7', 'limits.egress': '10Mbit' };
    const root = { type: 'disk', path: '/', pool: 'default' };
    const found = unboundNics({ devices: { eth0: old, root } });
    expect(found).toEqual({
      eth0: { ...makeNic('br', '10.0.3.7'), 'limits.egress': '10Mbit' },
    });
    expect(unboundNics({ devices: { ...found, root } })).toEqual({});
  });

  const without: readonly Record<string, string>[] = [
    {},
    { 'ipv4.address': 'none' },
    { 'ipv4.address': '10.0.3.9\n    ProxyCommand evil' },
  ];
  it.each(without)('is left alone without a fixed address: %o', (address) => {
    expect(unboundNics({ devices: { eth0: { type: 'nic', name: 'eth0', network: 'br', ...address } } })).toEqual({});
  });

  it('is left alone without a network of Incus', () => {
    const routed = { type: 'nic', nictype: 'routed', parent: 'eth0', 'ipv4.address': '192.0.2.7' };
    expect(unboundNics({ devices: { public: routed } })).toEqual({});
  });
});
