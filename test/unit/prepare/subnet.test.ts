import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candidates, freeSubnet, overlap, parseRange, subnetOf } from '../../../src/prepare/subnet.ts';

function range(text: string): { first: number; last: number } {
  const parsed = parseRange(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

describe('an address range', () => {
  it('covers its whole network, whichever of its addresses is given', () => {
    expect(range('10.0.3.77/24')).toEqual(range('10.0.3.0/24'));
    expect(range('255.255.255.255')).toEqual({ first: 2 ** 32 - 1, last: 2 ** 32 - 1 });
    expect(range('0.0.0.0/0')).toEqual({ first: 0, last: 2 ** 32 - 1 });
  });

  it.each(['', '10.0.3', '10.0.3.256/24', '10.0.3.0/33', '10.0.3.0/24/1', 'fd00::/8', '10.0.3.0/', '-1.0.0.0/8'])(
    'is not read from "%s"',
    (text) => {
      expect(parseRange(text)).toBeUndefined();
    },
  );
});

describe("the bridge's network", () => {
  it('has room for four thousand containers, and is around 10.0.3.1 if that is free', () => {
    expect(freeSubnet([range('192.0.2.2/24'), range('127.0.0.0/8')])).toBe('10.0.3.1/20');
  });

  it('avoids a private range that is routed elsewhere', () => {
    expect(freeSubnet([range('10.0.0.0/8')])).toBe('172.16.0.1/20');
    expect(freeSubnet([range('10.0.0.0/8'), range('172.16.0.0/12')])).toBe('192.168.240.1/20');
  });

  it('is smaller where no larger one is free', () => {
    const used = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/17', '192.168.128.0/18', '192.168.192.0/19'];
    const rest = ['192.168.224.0/20', '192.168.240.0/21', '192.168.249.0/24'];
    expect(freeSubnet([...used, ...rest].map(range))).toBe('192.168.255.1/24');
  });

  it('is refused if no network is free', () => {
    expect(() => freeSubnet([range('0.0.0.0/0')])).toThrow(expect.objectContaining({ code: 'settings' }));
  });

  it('is found again from the addresses of containers', () => {
    expect(subnetOf(['10.0.3.7', '10.0.0.100', '10.0.15.254'])).toBe('10.0.3.1/20');
    expect(subnetOf(['192.168.241.7'])).toBe('192.168.240.1/20');
    for (const addresses of [[], ['10.0.3.7', '10.64.3.7'], ['203.0.113.7'], ['10.0.3.7', 'x']])
      expect(subnetOf(addresses)).toBeUndefined();
  });

  it('is always private, and never overlaps a used range', () => {
    const all = [20, 24].flatMap((length) => [...candidates(length)]);
    expect(new Set(all).size).toBe(all.length);
    const used = fc.array(
      fc
        .tuple(fc.constantFrom(...all, '10.64.0.1/20', '8.8.8.8/32'), fc.integer({ min: 9, max: 32 }))
        .map(([address, length]) => range(`${address.split('/')[0] ?? ''}/${length}`)),
      { maxLength: 20 },
    );
    const privateRanges = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map(range);
    fc.assert(
      fc.property(used, (ranges) => {
        let chosen: string;
        try {
          chosen = freeSubnet(ranges);
        } catch {
          expect(all.every((address) => ranges.some((each) => overlap(each, range(address))))).toBe(true);
          return;
        }
        expect(ranges.some((each) => overlap(each, range(chosen)))).toBe(false);
        expect(privateRanges.some((each) => overlap(each, range(chosen)))).toBe(true);
      }),
    );
  });
});
