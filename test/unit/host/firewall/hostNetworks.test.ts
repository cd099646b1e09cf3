import { describe, expect, it } from 'vitest';
import { privateNetworks } from '../../../../src/host/firewall/hostNetworks.ts';

const address = (cidr: string | null, internal = false) => [{ cidr, internal }];
const bridge = { name: 'incusbr0', gateway: '10.0.3.1/24' };

describe("the host's private networks", () => {
  it('are the private networks of its interfaces, without the bridge, loopback and the public ones', () => {
    const interfaces = {
      lo: address('127.0.0.1/8', true),
      eth0: [...address('203.0.113.7/24'), ...address('2001:db8::7/64')],
      eth1: [...address('192.168.1.20/24'), ...address('fd00:1::5/64')],
      tailscale0: address('100.100.1.2/32'),
      docker0: address('172.17.0.1/16'),
      docker1: address('172.17.0.1/16'),
      incusbr0: address('10.0.3.1/24'),
      gone: undefined,
      odd: address(null),
    };
    expect(privateNetworks(bridge, interfaces)).toEqual([
      '100.100.1.2',
      '172.17.0.0/16',
      '192.168.1.0/24',
      'fd00:1::/64',
    ]);
  });

  it('leave out a network that contains the bridge', () => {
    expect(privateNetworks(bridge, { eth0: address('10.0.0.5/8') })).toEqual([]);
  });
});
