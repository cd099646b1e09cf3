import { describe, expect, it, vi } from 'vitest';
import { didYouMean, similar } from '../../../src/catalogue/similar.ts';

describe('similar', () => {
  it.each([
    ['alise', ['alice']],
    ['key-ad', ['key add']],
    ['nobody', []],
    ['', []],
  ])('finds for %j the names %j', (typed, found) => {
    expect(similar(typed, ['alice', 'bob', 'key add'])).toEqual(found);
  });

  it.each(['help', '--help', '-h'])('takes %s for a name like any other, and prints nothing', (typed) => {
    const printed = vi.spyOn(process.stdout, 'write');
    expect(similar(typed, ['alice', 'bob'])).toEqual([]);
    expect(printed).not.toHaveBeenCalled();
  });
});

it('didYouMean quotes each name', () => {
  expect(didYouMean(['zoe', 'joe'])).toBe('did you mean "zoe" or "joe"?');
});
