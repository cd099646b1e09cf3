import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { joinWords, maxLineLength, splitLine, wordsSoFar } from '../../../src/catalogue/tokens.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { anyCharacter } from '../../support/anyCharacter.ts';

function failureOf(line: string): Failure {
  try {
    splitLine(line);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(line)} was accepted`);
}

/** Any content of a shell word, with extra quotes, operators and spaces. */
const word = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.string({
      unit: fc.constantFrom(
        'a',
        ' ',
        '"',
        "'",
        '\\',
        '$',
        '`',
        ';',
        '|',
        '&',
        '<',
        '>',
        '(',
        ')',
        '*',
        '?',
        '#',
        '{',
        '}',
        '!',
        '~',
        '=',
        '\t',
        '\n',
      ),
      maxLength: 12,
    }),
  )
  .filter((text) => !text.includes('\0'));

describe('splitLine', () => {
  it("returns any words in single quotes unchanged, as quoted by POSIX shells and Python's shlex.quote", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const line = words.map((text) => `'${text.replaceAll("'", "'\\''")}'`).join(' ');
        expect(splitLine(line)).toEqual(words);
      }),
      { numRuns: 200 },
    );
  });

  it('returns any words that joinWords has quoted, and so does a POSIX shell', () => {
    const both = fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), (words) => {
      const line = joinWords(words);
      expect(splitLine(line)).toEqual(words);
      const said = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
      expect(said.split('\0').slice(0, -1)).toEqual(words.map((text) => Buffer.from(text).toString()));
    });
    fc.assert(both, { numRuns: 100 });
  });

  it.each([
    ['${NAME}', 'label set alice "cmd=${HOME}"', 'cmd=${HOME}'],
    ['an open ${', 'label set alice "cmd=${"', 'cmd=${'],
    ['a command substitution', 'label set alice "cmd=$(id) `id`"', 'cmd=$(id) `id`'],
    ['escaped shell syntax', 'label set alice "cmd=\\$HOME \\`id\\` \\\\ \\" \\n"', 'cmd=$HOME `id` \\ " \\n'],
    ['a hash within a word', 'label set alice ticket=a#1', 'ticket=a#1'],
    ['an escaped blank at the end', 'label set alice note=a\\ ', 'note=a '],
  ])('does not alter a value with %s', (_, line, value) => {
    expect(splitLine(line)).toEqual(['label', 'set', 'alice', value]);
  });

  it.each(["label set alice cmd=$'a\\tb'", 'label set alice cmd=$"a"', 'info alice\\'])(
    'refuses %s, which a shell would alter',
    (line) => {
      expect(failureOf(line).code).toBe('shell-syntax');
    },
  );

  it.each([
    ['create alice --cpu 2', ['create', 'alice', '--cpu', '2']],
    ['  list   --json ', ['list', '--json']],
    ['list --columns "name, ip"', ['list', '--columns', 'name, ip']],
    ["key remove alice 'Alice Doe'", ['key', 'remove', 'alice', 'Alice Doe']],
    ['key remove alice Alice\\ Doe', ['key', 'remove', 'alice', 'Alice Doe']],
    ['info ""', ['info', '']],
    ['', []],
    ['audit --since $HOME', ['audit', '--since', '$HOME']],
    ['audit --target a*', ['audit', '--target', 'a*']],
    ['export alice --key ~/.ssh/id', ['export', 'alice', '--key', '~/.ssh/id']],
  ])('splits %j', (line, words) => {
    expect(splitLine(line)).toEqual(words);
  });

  it.each([
    'list; list',
    'list && list',
    'list || list',
    'list | cat',
    'list > file',
    'list >> file',
    'create alice < key',
    'list &',
    '(list)',
    'list $(id)',
    'list `id`',
    'list ${x}',
    'list\nlist',
    'list # all',
  ])('refuses the shell syntax in %j', (line) => {
    expect(failureOf(line)).toMatchObject({ code: 'shell-syntax', next: expect.any(String) as string });
  });

  it('refuses an operator anywhere outside quotes', () => {
    const operator = fc.constantFrom(';', '|', '&', '<', '>', '(', ')', '&&', '||', '`', '$(', '\n');
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 5 }),
        operator,
        fc.nat(4),
        (words, sign, at) => {
          const line = words.toSpliced(Math.min(at, words.length - 1), 0, `x${sign}x`).join(' ');
          expect(failureOf(line).code).toBe('shell-syntax');
        },
      ),
    );
  });

  it.each(['info "alice', "info 'alice", 'info "a\'b'])('refuses the open quote in %j', (line) => {
    expect(failureOf(line)).toMatchObject({
      code: 'shell-syntax',
      why: expect.stringContaining('not closed') as string,
    });
  });

  it('refuses a NUL character and a line that is too long', () => {
    expect(failureOf('info a\0b').code).toBe('shell-syntax');
    expect(splitLine('a'.repeat(maxLineLength))).toHaveLength(1);
    expect(failureOf('a'.repeat(maxLineLength + 1)).code).toBe('input-too-large');
  });

  it('escapes control characters of the line in its failure', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 40 }), (text) => {
        const { what, why } = failureOf(`${text.replaceAll('\0', '')}; \u001b[2J\u202e`);
        expect(`${what} ${why}`).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
    );
  });
});

describe('wordsSoFar', () => {
  it.each([
    ['list --label "note=two wo', ['list', '--label', 'note=two wo'], 13],
    ["info 'a' ", ['info', 'a'], 5],
    ['a; b', ['a;', 'b'], 3],
    ['a\\', ['a'], 0],
  ])('splits %j, which is still being typed', (line, words, from) => {
    const found = wordsSoFar(line);
    expect(found.map(({ text }) => text)).toEqual(words);
    expect(found.at(-1)?.from).toBe(from);
  });
});
