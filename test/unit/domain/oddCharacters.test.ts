/** Characters that a person cannot see, or takes for another one. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { parseLimitedKeys } from '../../../src/domain/keys/keyLimits.ts';
import { parsePublicKeys } from '../../../src/domain/keys/publicKey.ts';
import { afterTypographicDash, namingOddCharacter, oddCharacterIn } from '../../../src/domain/oddCharacters.ts';
import { findUsername } from '../../../src/domain/values/username.ts';
import { failing } from './failing.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y';

it.each([
  ['al\u200bice', 'a zero-width space (U+200B)'],
  ['al\u00a0ice', 'a no-break space (U+00A0)'],
  ['\u2003x', 'an unusual space (U+2003)'],
  ['\u202ecila', 'a character that turns the direction of the text (U+202E)'],
  ['\u2063x', 'an invisible character (U+2063)'],
  ['“4GiB”', 'a typographic quotation mark "“" (U+201C)'],
  ['team’s', 'a typographic quotation mark "’" (U+2019)'],
  ['—memory', 'an em dash "—" (U+2014)'],
  ['4…8', 'an ellipsis "…" (U+2026)'],
])('%j has a character with a name', (text, name) => {
  expect(oddCharacterIn(text)).toBe(name);
});

it.each(['', 'alice', 'a b', '"x" \'y\' -- -', 'Jürgen 王小明'])('%j has only what everyone sees', (text) => {
  expect(oddCharacterIn(text)).toBeUndefined();
});

it.each([
  ['—memory', 'memory'],
  ['–-cpu', 'cpu'],
  ['−−json', 'json'],
  ['--json', undefined],
  ['x—y', undefined],
])('what follows the typographic dash of %j is %j', (word, rest) => {
  expect(afterTypographicDash(word)).toBe(rest);
});

describe.each([
  ['parsePublicKeys', parsePublicKeys],
  ['parseLimitedKeys', parseLimitedKeys],
])('%s', (_, parse) => {
  it.each([
    [`“${key} alice”`, 'U+201C'],
    [`‘${key}’`, 'U+2018'],
    [`\u200b${key} alice`, 'U+200B'],
    [`${key}\u200b`, 'U+200B'],
    [`${key.slice(0, 40)}\u00ad${key.slice(40)} alice`, 'U+00AD'],
    [`ssh—ed25519 ${key.slice(12)} alice`, 'U+2014'],
    [`from=“10.0.0.0/8” ${key}`, 'U+201C'],
  ])('names such a character at a key: %j', (text, code) => {
    expect(failing(() => parse(text)).why).toContain(code);
  });

  it('takes any character in a comment, and does not name it in another fault', () => {
    expect(parse(`${key} “Alice” — laptop`)).toHaveLength(1);
    expect(failing(() => parse(`ssh-dss ${key.slice(12)} “Alice”`)).why).not.toContain('U+');
  });
});

describe('a failure that quotes its input', () => {
  const notFound = (user: string): Failure => failing(() => findUsername(user));

  it('names such a character in it', () => {
    expect(namingOddCharacter(notFound('al\u200bice'), ['al\u200bice']).why).toBe(
      'no such container, and what was given has a zero-width space (U+200B)',
    );
  });

  it('names none that is in another value, or in a failure of the host', () => {
    expect(namingOddCharacter(notFound('Alice'), ['Alice', '—']).why).toBe('no such container');
    const failed = new Failure('program-failed', { what: '“x”', why: 'y' });
    expect(namingOddCharacter(failed, ['“x”'])).toBe(failed);
  });
});
