import { describe, expect, it } from 'vitest';
import { parseProcessLimit } from '../../../../src/domain/values/processes.ts';
import { failing } from '../failing.ts';

describe('parseProcessLimit', () => {
  it.each([100, 999, 2000, 4_194_304])('accepts %i', (count) => {
    expect(parseProcessLimit(String(count))).toBe(count);
  });

  it.each([
    ['', 'empty'],
    ['0', 'too small for a container to start'],
    ['99', 'too small for a container to start'],
    ['0200', 'leading zero'],
    ['-200', 'negative'],
    ['200.5', 'not a whole number'],
    ['4194305', 'more than 4194304'],
    ['99999999999999999999', 'more than 4194304'],
    ['2e3', 'not a number'],
    ['2,000', 'not a whole number'],
    [' 200', 'not a number'],
    ['200\n', 'not a number'],
    ['٢٠٠', 'not a number'],
    ['unlimited', 'not a number'],
  ])('refuses %j with the reason "%s"', (text, why) => {
    expect(failing(() => parseProcessLimit(text))).toMatchObject({
      code: 'invalid-count',
      why,
      next: 'use a whole number from 100 to 4194304',
    });
  });
});
