import { describe, expect, it } from 'vitest';
import { addressOf, portOf, subnetOf } from '../../../../src/host/firewall/ports.ts';

describe('the port of a container', () => {
  it('has a name and a MAC address that follow from its address', () => {
    expect(portOf('10.0.3.100')).toEqual({ hostName: 'ctn0a000364', mac: '02:c7:0a:00:03:64' });
    expect(portOf('192.168.255.254')).toEqual({ hostName: 'ctnc0a8fffe', mac: '02:c7:c0:a8:ff:fe' });
  });

  it('has a name that fits IFNAMSIZ and a MAC address that is local and unicast', () => {
    const { hostName, mac } = portOf('255.255.255.255');
    expect(hostName.length).toBeLessThan(16);
    expect(Number.parseInt(mac.slice(0, 2), 16) & 0b11).toBe(0b10);
  });
});

describe("a bridge's network", () => {
  it('begins and ends with the network address and the broadcast address', () => {
    const { first, last, gateway } = subnetOf('10.0.3.1/24');
    expect([addressOf(first), addressOf(last), gateway]).toEqual(['10.0.3.0', '10.0.3.255', '10.0.3.1']);
    expect(addressOf(subnetOf('192.168.4.1/22').last)).toBe('192.168.7.255');
  });
});
