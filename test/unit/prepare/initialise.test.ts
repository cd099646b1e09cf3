import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { poolSize, renderPreseed } from '../../../src/prepare/initialise.ts';

const gibibyte = 1024 ** 3;

describe('the preseed', () => {
  it('creates a closed NAT bridge without IPv6, a pool of the given size, and a default profile with both', () => {
    const text = renderPreseed({
      pool: { name: 'default', driver: 'btrfs', sizeBytes: 8 * gibibyte },
      bridge: { name: 'incusbr0', address: '10.0.3.1/24' },
      profile: { root: { pool: 'default' }, nic: { network: 'incusbr0' } },
    });
    expect(parse(text)).toEqual({
      config: {},
      networks: [
        {
          name: 'incusbr0',
          type: 'bridge',
          config: {
            'ipv4.address': '10.0.3.1/24',
            'ipv4.nat': 'true',
            'ipv6.address': 'none',
            'dns.mode': 'none',
            'raw.dnsmasq':
              'dhcp-ignore=tag:!known\ndhcp-ignore-names\nno-hosts\nno-ident\ndomain-needed\nlocal=/incus/\nrev-server=10.0.3.0/24',
          },
        },
      ],
      storage_pools: [{ name: 'default', driver: 'btrfs', config: { size: '8589934592' } }],
      profiles: [
        {
          name: 'default',
          devices: {
            root: { type: 'disk', path: '/', pool: 'default' },
            eth0: { type: 'nic', name: 'eth0', network: 'incusbr0', 'security.ipv4_filtering': 'true' },
          },
        },
      ],
    });
  });

  it('leaves out parts that are not to be created', () => {
    expect(parse(renderPreseed({ profile: { root: { pool: 'mine' } } }))).toMatchObject({
      networks: [],
      storage_pools: [],
    });
    expect(
      parse(renderPreseed({ pool: { name: 'default', driver: 'zfs', source: 'tank/incus' }, profile: {} })),
    ).toMatchObject({
      storage_pools: [{ config: { source: 'tank/incus' } }],
      profiles: [{ name: 'default', devices: {} }],
    });
  });
});

describe('the size of a pool', () => {
  it('is 60 % of the free space, rounded down to GiB, and at least 8 GiB', () => {
    expect(poolSize(100 * gibibyte, '/var/lib/incus')).toBe(60 * gibibyte);
    expect(poolSize(99.9 * gibibyte, '/var/lib/incus')).toBe(59 * gibibyte);
    expect(poolSize(10 * gibibyte, '/var/lib/incus')).toBe(8 * gibibyte);
  });

  it('is refused if less than 8 GiB is free', () => {
    expect(() => poolSize(7.9 * gibibyte, '/var/lib/incus')).toThrow(
      expect.objectContaining({ code: 'no-space', why: expect.stringContaining('/var/lib/incus has 7.9 GiB free') }),
    );
  });
});
