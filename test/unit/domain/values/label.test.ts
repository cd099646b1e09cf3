import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLabel, parseLabelSelector } from '../../../../src/domain/values/label.ts';
import { printable } from '../../../../src/domain/text.ts';
import { failing } from '../failing.ts';

const goodKey = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const goodValue = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .filter((text) => printable(text) === text && text.trim() === text);

describe('parseLabel', () => {
  it.each([
    ['team=blue', 'team', 'blue'],
    ['a=b=c', 'a', 'b=c'],
    ['cost.center_1-x=Zoë & Co', 'cost.center_1-x', 'Zoë & Co'],
    ['0=0', '0', '0'],
  ])('reads %s', (text, key, value) => {
    expect(parseLabel(text)).toEqual({ key, value });
  });

  it('reads every valid key with every valid value', () => {
    fc.assert(
      fc.property(goodKey, goodValue, (key, value) => {
        expect(parseLabel(`${key}=${value}`)).toEqual({ key, value });
      }),
    );
  });

  it.each([
    ['team', 'no "="'],
    ['=blue', 'no key'],
    ['', 'no "="'],
    ['team=', 'empty'],
    ['Team=blue', 'upper-case'],
    ['-team=blue', 'invalid key'],
    ['.team=blue', 'invalid key'],
    ['__proto__=x', 'invalid key'],
    ['te am=blue', 'invalid key'],
    ['team\n=blue', 'invalid key'],
    [`${'k'.repeat(64)}=v`, 'more than 63'],
    [`team=${'v'.repeat(256)}`, 'more than 255'],
    ['team=bl\u202eue', 'invisible'],
    ['team=blue\n', 'invisible'],
    ['team=\ud800', 'invisible'],
    ['team= blue', 'space'],
    ['team=blue ', 'space'],
  ])('refuses %j with the reason "%s"', (text, why) => {
    const failure = failing(() => parseLabel(text));
    expect(failure.code).toBe('invalid-label');
    expect(failure.why).toContain(why);
    expect(failure.next).toContain('KEY=VALUE');
    expect(printable(failure.message)).toBe(failure.message);
  });

  it('counts characters of a value, not UTF-16 code units', () => {
    expect(parseLabel(`team=${'😀'.repeat(255)}`).value).toHaveLength(510);
  });
});

describe('parseLabelSelector', () => {
  it('reads a key with or without a value', () => {
    expect(parseLabelSelector('team')).toEqual({ key: 'team' });
    expect(parseLabelSelector('team=blue')).toEqual({ key: 'team', value: 'blue' });
  });

  it.each(['', 'Team', 'team=', '=blue', 'te am', '*'])('refuses %j, and says both forms', (text) => {
    expect(failing(() => parseLabelSelector(text))).toMatchObject({
      code: 'invalid-label',
      next: expect.stringMatching(/^use KEY or KEY=VALUE, for example team or team=blue;/) as string,
    });
  });
});
