import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCpuCount } from '../../../../src/domain/values/cpu.ts';
import { failing } from '../failing.ts';

describe('parseCpuCount', () => {
  it('takes every whole number from 1 to 512, and none beyond', () => {
    for (let count = 1; count <= 512; count += 1) expect(parseCpuCount(String(count))).toBe(count);
    expect(failing(() => parseCpuCount('513')).why).toContain('more than 512');
  });

  it.each([
    ['', 'empty'],
    ['0', 'zero'],
    ['00', 'zero'],
    ['04', 'begins with a zero'],
    ['-1', 'negative'],
    ['1.5', 'counted whole'],
    ['0,5', 'certain CPUs'],
    ['0-3', 'certain CPUs'],
    ['1-1', 'certain CPUs'],
    ['0,2-5,7', 'certain CPUs'],
    ['99999999999999999999', 'more than 512'],
    ['1e2', 'not a number'],
    ['0x4', 'not a number'],
    [' 4', 'not a number'],
    ['4\n', 'not a number'],
    ['٤', 'not a number'],
    ['four', 'not a number'],
    ['NaN', 'not a number'],
  ])('says what is wrong with %j', (text, why) => {
    const failure = failing(() => parseCpuCount(text));
    expect(failure.code).toBe('invalid-count');
    expect(failure.why).toContain(why);
    expect(failure.next).toContain('from 1 to 512');
  });

  it('gives a number in range or invalid-count, whatever the text', () => {
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
