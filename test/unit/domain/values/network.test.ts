import { describe, expect, it, test } from 'vitest';
import { contains, isSource, NetworkMap, parseNetwork, sourceOf } from '../../../../src/domain/values/network.ts';
import { failing } from '../failing.ts';

describe('parseNetwork', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    [' 192.0.2.7/24 ', '192.0.2.0/24'],
    ['192.0.2.129/25', '192.0.2.128/25'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['192.0.2.7/32', '192.0.2.7'],
    ['2001:0DB8::0001', '2001:db8::1'],
    ['2001:db8:1:2:3::/64', '2001:db8:1:2::/64'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7/120', '192.0.2.0/24'],
    ['::/0', '::/0'],
  ])('reads %s as %s', (text, expected) => {
    expect(parseNetwork(text).text).toBe(expected);
    expect(parseNetwork(expected)).toEqual(parseNetwork(text));
  });

  test.each([
    '',
    'localhost',
    '127.1',
    '0x7f.0.0.1',
    '010.0.0.1',
    '192.0.2.7/33',
    '::1/129',
    '192.0.2.7/',
    '/8',
    '1.2.3.4/8/8',
    '1.2.3.4/-1',
    '192.0.2.*',
    '\x1b[2J',
  ])('refuses %j', (text) => {
    expect(failing(() => parseNetwork(text))).toMatchObject({ code: 'usage' });
  });
});

describe('contains', () => {
  it('compares the family and the bits of the prefix', () => {
    const inside = (outer: string, inner: string): boolean => contains(parseNetwork(outer), parseNetwork(inner));
    expect(inside('10.0.0.0/8', '10.1.2.3')).toBe(true);
    expect(inside('10.0.0.0/8', '10.1.0.0/16')).toBe(true);
    expect(inside('10.1.0.0/16', '10.0.0.0/8')).toBe(false);
    expect(inside('10.0.0.0/8', '11.0.0.0')).toBe(false);
    expect(inside('0.0.0.0/0', '::1')).toBe(false);
    expect(inside('2001:db8::/33', '2001:db8:8000::1')).toBe(false);
  });
});

describe('a source', () => {
  it('is an IPv4 address or the /64 of an IPv6 address', () => {
    expect(
      ['192.0.2.7', '::ffff:192.0.2.7', '2001:db8:1:2:3:4:5:6', 'fe80::1%eth0', 'x', ''].map(
        (text) => sourceOf(text)?.text,
      ),
    ).toEqual(['192.0.2.7', '192.0.2.7', '2001:db8:1:2::/64', 'fe80::/64', undefined, undefined]);
    expect(
      ['192.0.2.7', '192.0.2.0/24', '2001:db8::/64', '2001:db8::1'].map((text) => isSource(parseNetwork(text))),
    ).toEqual([true, false, true, false]);
  });
});

describe('a NetworkMap', () => {
  it('finds every network that contains an address, widest first', () => {
    const map = new NetworkMap<string>();
    for (const text of ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '10.2.0.0/16', '2001:db8::/32'])
      map.set(parseNetwork(text), text);
    expect([...map.find('10.1.2.3')]).toEqual(['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3']);
    expect([...map.find('::ffff:10.2.9.9')]).toEqual(['10.0.0.0/8', '10.2.0.0/16']);
    expect([...map.find('2001:db8:ffff::1')]).toEqual(['2001:db8::/32']);
    expect([...map.find('192.0.2.1'), ...map.find('nonsense')]).toEqual([]);
  });
});
