import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatExact,
  formatHuman,
  formatLimit,
  parseIncusSize,
  parseSize,
} from '../../../../src/domain/values/size.ts';
import { failing } from '../failing.ts';

const GiB = 2 ** 30;
const anySize = fc.oneof(
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  fc
    .tuple(fc.integer({ min: 1, max: 4000 }), fc.constantFrom(1e3, 1e6, 1e9, 1e12, 2 ** 10, 2 ** 20, 2 ** 30, 2 ** 40))
    .map(([number, unit]) => number * unit),
);

describe('parseSize', () => {
  it.each([
    ['4GB', 4_000_000_000],
    ['4GiB', 4_294_967_296],
    ['4 GiB', 4_294_967_296],
    ['4gib', 4_294_967_296],
    ['4gb', 4_000_000_000],
    ['512MB', 512_000_000],
    ['512MiB', 536_870_912],
    ['1TB', 1e12],
    ['1TiB', 2 ** 40],
    ['1kB', 1000],
    ['1KB', 1000],
    ['1KiB', 1024],
    ['1kiB', 1024],
    ['1PB', 1e15],
    ['123B', 123],
    ['1.5GiB', 1.5 * GiB],
    ['0.5kB', 500],
    ['4.35kB', 4350],
    ['1.001kB', 1001],
    ['8.2GB', 8_200_000_000],
    ['9007199254740991B', Number.MAX_SAFE_INTEGER],
  ])('reads %s as %i bytes', (text, count) => {
    expect(parseSize(text)).toBe(count);
  });

  it.each([
    ['4', 'it has no unit: 4GB is 4,000,000,000 bytes, 4GiB is 4,294,967,296 bytes', 'write 4GB or 4GiB'],
    ['4G', '"G" is not a complete unit: 4GB is 4,000,000,000 bytes, 4GiB is 4,294,967,296 bytes', 'write 4GB or 4GiB'],
    [
      '512M',
      '"M" is not a complete unit: 512MB is 512,000,000 bytes, 512MiB is 536,870,912 bytes',
      'write 512MB or 512MiB',
    ],
    [
      '4Gi',
      '"Gi" is not a complete unit: 4GB is 4,000,000,000 bytes, 4GiB is 4,294,967,296 bytes',
      'write 4GB or 4GiB',
    ],
    ['2k', '"k" is not a complete unit: 2kB is 2,000 bytes, 2KiB is 2,048 bytes', 'write 2kB or 2KiB'],
    ['1.5', 'it has no unit: 1.5GB is 1,500,000,000 bytes, 1.5GiB is 1,610,612,736 bytes', 'write 1.5GB or 1.5GiB'],
    [
      '1.0000001M',
      '"M" is not a complete unit: 1.0000001MB is not a whole number of bytes, 1.0000001MiB is not a whole number of bytes',
      'write',
    ],
  ])('refuses the ambiguous %s and shows both readings', (text, why, next) => {
    const failure = failing(() => parseSize(text));
    expect(failure.code).toBe('invalid-size');
    expect(failure.what).toBe(`size "${text}"`);
    expect(failure.why).toBe(why);
    expect(failure.next).toContain(next);
  });

  it('suggests bytes as the unit of a long bare number', () => {
    expect(failing(() => parseSize('4294967296')).next).toContain('write 4294967296B');
  });

  it.each([
    ['', 'empty'],
    ['0GiB', 'zero'],
    ['0.0B', 'zero'],
    ['-4GiB', 'sign'],
    ['+4GiB', 'sign'],
    ['NaN', 'not a number'],
    ['Infinity', 'not a number'],
    ['1e9B', 'not a number'],
    ['.5GiB', 'not a number'],
    ['4.GiB', 'not a number'],
    ['0x10B', 'not a number'],
    ['GiB', 'not a number'],
    ['4GiB 2', 'not a number'],
    ['4GiB\n', 'not a number'],
    ['４GiB', 'not a number'],
    ['1,5GiB', 'comma'],
    ['50%', 'percentage'],
    ['4Gb', 'means bits'],
    ['4Gib', 'means bits'],
    ['4ib', 'unknown unit'],
    ['4IB', 'unknown unit'],
    ['4iB', 'unknown unit'],
    ['4ZB', 'unknown unit'],
    ['4apples', 'unknown unit'],
    ['1.1GiB', 'not a whole number'],
    ['0.5B', 'not a whole number'],
    ['9007199254740992B', 'more than 9,007,199,254,740,991 bytes'],
    ['9PB', undefined],
    ['10PB', 'more than'],
    ['999999999999999999999999999999EB', 'more than'],
    ['9'.repeat(40) + 'B', 'not a number'],
  ])('judges %j: %s', (text, why) => {
    if (why === undefined) {
      expect(parseSize(text)).toBe(9e15);
      return;
    }
    const failure = failing(() => parseSize(text));
    expect(failure.code).toBe('invalid-size');
    expect(failure.why).toContain(why);
    expect(failure.next).toBeDefined();
  });

  it('returns a whole number of bytes or throws invalid-size for any text', () => {
    const piece = fc.constantFrom(...'0123456789.,+-eE %', 'GiB', 'GB', 'G', 'i', 'b', 'kB', 'M', '\u0000', '∞');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 8 }).map((list) => list.join('')),
          fc.string(),
        ),
        (text) => {
          try {
            const count = parseSize(text);
            expect(Number.isSafeInteger(count) && count > 0).toBe(true);
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid-size' });
          }
        },
      ),
    );
  });
});

describe('formatExact', () => {
  it.each([
    [4 * GiB, '4GiB'],
    [4e9, '4GB'],
    [512 * 2 ** 20, '512MiB'],
    [1.5 * GiB, '1536MiB'],
    [123, '123B'],
    [1000, '1kB'],
    [1024, '1KiB'],
    [1_234_567, '1234567B'],
    [1024 * GiB, '1TiB'],
    [0, '0B'],
  ])('writes %i as %s', (count, text) => {
    expect(formatExact(count)).toBe(text);
  });

  it('is read back by parseIncusSize as the same number', () => {
    fc.assert(
      fc.property(anySize, (count) => {
        expect(parseIncusSize(formatExact(count))).toBe(count);
      }),
    );
  });

  it('is read back by parseSize as the same number, and is never longer than the number of bytes', () => {
    fc.assert(
      fc.property(anySize, (count) => {
        expect(parseSize(formatExact(count))).toBe(count);
        expect(formatExact(count).length).toBeLessThanOrEqual(`${count}B`.length);
      }),
    );
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    'refuses %d, which is not a number of bytes',
    (count) => {
      expect(() => formatExact(count)).toThrow(RangeError);
      expect(() => formatHuman(count)).toThrow(RangeError);
    },
  );
});

describe('formatHuman', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [512 * 2 ** 20, '512 MiB'],
    [4 * GiB, '4 GiB'],
    [1.5 * GiB, '1.5 GiB'],
    [4e9, '3.7 GiB'],
    [GiB - 1, '1 GiB'],
    [100 * GiB, '100 GiB'],
    [1.25 * 1024 * GiB, '1.3 TiB'],
    [Number.MAX_SAFE_INTEGER, '8 PiB'],
  ])('shows %i as %s', (count, text) => {
    expect(formatHuman(count)).toBe(text);
  });

  it('has at most 6 characters and a unit, and stays within 5.1 % of the size', () => {
    fc.assert(
      fc.property(anySize, (count) => {
        const text = formatHuman(count);
        expect(text).toMatch(/^\d{1,4}(\.\d)? ([KMGTP]i)?B$/);
        expect(Math.abs(parseApproximately(text) - count)).toBeLessThanOrEqual(count * 0.051);
      }),
    );
  });
});

function parseApproximately(text: string): number {
  const [number = '', unit = ''] = text.split(' ');
  return Number(number) * 1024 ** ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'].indexOf(unit);
}

describe('parseIncusSize', () => {
  it.each([
    ['4GiB', 4 * GiB],
    ['50GB', 50e9],
    ['4294967296', 4 * GiB],
    ['123B', 123],
    ['123 bytes', 123],
    ['1kB', 1000],
    ['1KiB', 1024],
    ['0', 0],
    ['7PiB', 7 * 2 ** 50],
  ])('reads %s', (text, count) => {
    expect(parseIncusSize(text)).toBe(count);
  });

  it.each([
    '',
    '50%',
    '4gib',
    '4KB',
    '4kiB',
    '1.5GiB',
    '4 GiB',
    '-1',
    '4G',
    '9007199254740992',
    '9EiB',
    'max',
    '4GiB\n',
    '99999999999999999999',
  ])('returns undefined for %j', (text) => {
    expect(parseIncusSize(text)).toBeUndefined();
  });
});

describe('formatLimit', () => {
  it.each([
    ['50GB', '50 GB'],
    ['50GiB', '50 GiB'],
    ['512MB', '512 MB'],
    ['2000MiB', '2000 MiB'],
    ['1.5GiB', '1.5 GiB'],
    ['1.5TB', '1.5 TB'],
    ['1024GiB', '1 TiB'],
  ])('shows %s in the unit in which it was given', (given, shown) => {
    expect(formatLimit(parseSize(given))).toBe(shown);
  });

  it('rounds what no unit shows exactly', () => {
    expect(formatLimit(4_294_967_297)).toBe('4 GiB');
    expect(formatLimit(0)).toBe('0 B');
  });
});
