import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCpuCount } from '../../../../src/domain/values/cpu.ts';
import { failing } from '../failing.ts';

describe('parseCpuCount', () => {
  it('accepts every whole number from 1 to 512 and refuses 513', () => {
    for (let count = 1; count <= 512; count += 1) expect(parseCpuCount(String(count))).toBe(count);
    expect(failing(() => parseCpuCount('513')).why).toContain('more than 512');
  });

  it.each([
    ['', 'empty'],
    ['0', 'zero'],
    ['00', 'zero'],
    ['04', 'leading zero'],
    ['-1', 'negative'],
    ['1.5', 'not a whole number'],
    ['0,5', 'particular CPUs'],
    ['0-3', 'particular CPUs'],
    ['1-1', 'particular CPUs'],
    ['0,2-5,7', 'particular CPUs'],
    ['99999999999999999999', 'more than 512'],
    ['1e2', 'not a number'],
    ['0x4', 'not a number'],
    [' 4', 'not a number'],
    ['4\n', 'not a number'],
    ['٤', 'not a number'],
    ['four', 'not a number'],
    ['NaN', 'not a number'],
  ])('refuses %j with the reason "%s"', (text, why) => {
    const failure = failing(() => parseCpuCount(text));
    expect(failure.code).toBe('invalid-count');
    expect(failure.why).toContain(why);
    expect(failure.next).toContain('from 1 to 512');
  });

  it('returns a number in range or throws invalid-count for any text', () => {
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...'0123456789-,. '), { maxLength: 5 }).map((list) => list.join('')),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          const count = parseCpuCount(given);
          expect(String(count)).toBe(given);
          expect(count >= 1 && count <= 512).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid-count' });
        }
      }),
    );
  });
});
