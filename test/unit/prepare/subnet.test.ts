import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candidates, freeSubnet, overlap, parseRange } from '../../../src/prepare/subnet.ts';

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
  it('is 10.0.3.0/24 if that is free', () => {
    expect(freeSubnet([range('192.0.2.2/24'), range('127.0.0.0/8')])).toBe('10.0.3.1/24');
  });

  it('avoids a private range that is routed elsewhere', () => {
    expect(freeSubnet([range('10.0.0.0/8')])).toBe('172.16.0.1/24');
    expect(freeSubnet([range('10.0.0.0/8'), range('172.16.0.0/12')])).toBe('192.168.255.1/24');
  });

  it('is refused if no network is free', () => {
    expect(() => freeSubnet([range('0.0.0.0/0')])).toThrow(expect.objectContaining({ code: 'settings' }));
  });

  it('is always private, and never overlaps a used range', () => {
    const prefixes = [...candidates()];
    expect(new Set(prefixes).size).toBe(prefixes.length);
    const used = fc.array(
      fc
        .tuple(fc.constantFrom(...prefixes, '10.64.0', '8.8.8'), fc.integer({ min: 9, max: 32 }))
        .map(([prefix, length]) => range(`${prefix}.9/${length}`)),
      { maxLength: 20 },
    );
    const privateRanges = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map(range);
    fc.assert(
      fc.property(used, (ranges) => {
        let chosen: string;
        try {
          chosen = freeSubnet(ranges);
        } catch {
          expect(prefixes.every((prefix) => ranges.some((each) => overlap(each, range(`${prefix}.0/24`))))).toBe(true);
          return;
        }
        expect(ranges.some((each) => overlap(each, range(chosen)))).toBe(false);
        expect(privateRanges.some((each) => overlap(each, range(chosen)))).toBe(true);
      }),
    );
  });
});
