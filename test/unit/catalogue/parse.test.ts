import fc from 'fast-check';
import { stdinFor } from '../../support/stdin.ts';
import { describe, expect, it } from 'vitest';
import { mayUse, verbAt, verbNamed, verbNames } from '../../../src/catalogue/catalogue.ts';
import { formats, wantedFormat } from '../../../src/catalogue/format.ts';
import type { Invocation } from '../../../src/catalogue/commanderProgram.ts';
import { parseCommandLine } from '../../../src/catalogue/parse.ts';
import { checkInput } from '../../../src/catalogue/declaration/schema.ts';
import { splitLine } from '../../../src/catalogue/tokens.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { anyCharacter } from '../../support/anyCharacter.ts';

const admin = { entryPoint: 'manage', role: 'admin' } as const;
const owner = { entryPoint: 'self', role: 'owner' } as const;
const root = { entryPoint: 'local', role: 'root' } as const;

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y';

const parse = (line: string, actor: Parameters<typeof parseCommandLine>[1] = admin): Invocation =>
  parseCommandLine(splitLine(line), actor);
/** Returns the name of the verb and the input of a line. */
const read = (line: string): [string, unknown] => {
  const { verb, input } = parse(line);
  return [verb.name, input];
};

function failureOf(line: string): Failure {
  try {
    parse(line);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(line)} was accepted`);
}

describe('an option before a verb that is also the first word of other verbs', () => {
  it('applies to the verb', () => {
    const owner = { entryPoint: 'self', role: 'owner' } as const;
    for (const words of [
      ['--json', 'keys', 'alice'],
      ['keys', '--json', 'alice'],
      ['keys', 'alice', '--json'],
    ]) {
      expect(parseCommandLine(words, owner)).toMatchObject({ format: 'json', input: { user: 'alice' } });
    }
    expect(parseCommandLine(['--json', 'keys', 'remove', 'SHA256:x'], owner)).toMatchObject({
      format: 'json',
      input: { key: 'SHA256:x' },
    });
  });
});

describe('examples', () => {
  const all = verbNames.flatMap((name) => verbNamed(name).examples.map(({ line }) => [name, line] as const));

  it.each(all)('of %s parse with valid values at every entry point of the verb: %s', (name, line) => {
    const verb = verbNamed(name);
    const example = verb.examples.findIndex((each) => each.line === line);
    for (const actor of [admin, owner, root]) {
      if (!mayUse(verb, actor.entryPoint, actor.role)) continue;
      const there = verbAt(verb, actor.entryPoint).examples[example]?.line ?? '';
      // Redirections are for the reader's shell.
      const words = splitLine(there.replace(/ (<|>|>>) .*$/, ''));
      const { verb: found, input, help } = parseCommandLine(words, actor);
      expect([found.name, help]).toEqual([name, false]);
      const into = verb.stdin?.into ?? '';
      const isRead = verb.stdin !== undefined && [undefined, '-'].includes(input[into] as string | undefined);
      const full = isRead ? { ...input, [into]: stdinFor(name, key) } : input;
      expect(() => checkInput(verb, full)).not.toThrow();
    }
  });

  it('exist for every verb and begin with its name', () => {
    for (const name of verbNames) {
      expect(verbNamed(name).examples).not.toEqual([]);
      for (const { line } of verbNamed(name).examples) expect(`${line} `.startsWith(`${name} `)).toBe(true);
    }
  });
});

describe('options', () => {
  it.each<[string, [string, unknown]]>([
    ['create alice --cpu 2 --cpu 3', ['create', { user: 'alice', cpu: '3' }]],
    ['create alice --disk 5GiB --disk-quota 6GiB', ['create', { user: 'alice', disk: '6GiB' }]],
    ['create alice --disk-quota 6GiB --disk 5GiB', ['create', { user: 'alice', disk: '5GiB' }]],
    ['create --cpu=2 alice', ['create', { user: 'alice', cpu: '2' }]],
    ['create alice -l a=b --label c=d --labels e=f', ['create', { user: 'alice', labels: ['a=b', 'c=d', 'e=f'] }]],
    ['create alice --labels e=f -l a=b', ['create', { user: 'alice', labels: ['e=f', 'a=b'] }]],
    ['create alice', ['create', { user: 'alice' }]],
    ['create alice --autostart', ['create', { user: 'alice', autostart: true }]],
    ['create alice --no-autostart', ['create', { user: 'alice', autostart: false }]],
    ['create alice --no-autostart --autostart', ['create', { user: 'alice', autostart: true }]],
    ['create alice --docker --no-docker', ['create', { user: 'alice', docker: false }]],
    ['delete alice -f', ['delete', { user: 'alice', yes: true }]],
    ['delete alice --force', ['delete', { user: 'alice', yes: true }]],
    ['stop alice -f', ['stop', { user: 'alice', force: true }]],
    ['list --sort -memory', ['list', { sort: '-memory' }]],
    ['list --user=--json', ['list', { user: '--json' }]],
    ['create alice --cpu=', ['create', { user: 'alice', cpu: '' }]],
    ['info -- --x', ['info', { user: '--x' }]],
    ['info ""', ['info', { user: '' }]],
    ['audit -n 5', ['audit', { limit: '5' }]],
    ['audit export --since 30d', ['audit export', { since: '30d' }]],
    ['audit --verb "key add"', ['audit', { verb: 'key add' }]],
    ['rm alice', ['delete', { user: 'alice' }]],
    ['admin ls', ['admin list', {}]],
    ['help key add', ['help', { verb: 'key', subverb: 'add' }]],
  ])('are parsed in %s', (line, expected) => {
    expect(read(line)).toEqual(expected);
  });

  it('may have a public key of several words as the value, up to the next option', () => {
    expect(read(`create alice --ssh-key ${key} alice@laptop --cpu 2`)).toEqual([
      'create',
      { user: 'alice', keys: `${key} alice@laptop`, cpu: '2' },
    ]);
    expect(read(`create alice --ssh-key=${key} Alice - laptop -l a=b`)).toEqual([
      'create',
      { user: 'alice', keys: `${key} Alice - laptop`, labels: ['a=b'] },
    ]);
    expect(read(`key add alice --ssh-key "${key} a comment"`)).toEqual([
      'key add',
      { user: 'alice', keys: `${key} a comment` },
    ]);
    expect(read(`admin add carol --ssh-key verify-required ${key} a comment --role viewer`)).toEqual([
      'admin add',
      { name: 'carol', keys: `verify-required ${key} a comment`, role: 'viewer' },
    ]);
    expect(read(`admin add carol --ssh-key=verify-required ${key}`)).toEqual([
      'admin add',
      { name: 'carol', keys: `verify-required ${key}` },
    ]);
    expect(read('create alice --ssh-key - --cpu 2')).toEqual(['create', { user: 'alice', keys: '-', cpu: '2' }]);
  });

  it('keep any value unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, minLength: 1, maxLength: 30 }), (value) => {
        expect(parseCommandLine(['audit', `--target=${value}`], admin).input).toEqual({ target: value });
        expect(parseCommandLine(['key', 'remove', 'alice', '--', value], admin).input).toEqual({
          user: 'alice',
          key: value,
        });
      }),
    );
  });
});

describe('formats', () => {
  it.each(
    formats.flatMap((format) =>
      [
        `list --format ${format}`,
        `--format ${format} list`,
        `--format=${format} list`,
        `key --format ${format} list alice`,
        `key list --format ${format} alice`,
        `audit --format ${format} verify`,
      ].map((line) => [line, format] as const),
    ),
  )('are found in %s', (line, format) => {
    expect(parse(line).format).toBe(format);
    expect(wantedFormat(splitLine(line))).toBe(format);
  });

  it.each([
    ['--json list', 'json'],
    ['list --json --format json', 'json'],
    ['--json key --format=json list alice', 'json'],
    ['list', 'table'],
  ] as const)('given several times count once: %s', (line, format) => {
    expect(parse(line).format).toBe(format);
    expect(wantedFormat(splitLine(line))).toBe(format);
  });

  it.each([
    ['list --json --format csv', 'json and csv'],
    ['list --format csv --json', 'csv and json'],
    ['--json list --format=yaml', 'json and yaml'],
    ['key --format table list --format csv alice', 'table and csv'],
  ])('that differ are refused: %s', (line, both) => {
    expect(() => parse(line)).toThrow(
      expect.objectContaining({ code: 'usage', why: `two formats were asked for, ${both}` }),
    );
  });

  it.each(['yaml', 'csv'])('cannot be %s for output that has no end', (format) => {
    expect(() => parse(`logs alice --follow --format ${format}`)).toThrow(
      expect.objectContaining({ code: 'usage', next: expect.stringContaining('--json') }),
    );
  });

  it('are found even in an invalid line', () => {
    expect(wantedFormat(['nonsense', '--json', '-x'])).toBe('json');
    expect(wantedFormat(['nonsense', '--format', 'xml'])).toBe('table');
    expect(wantedFormat(['nonsense', '--', '--json'])).toBe('table');
  });
});

describe('help', () => {
  it.each([
    ['create --help', 'create', true],
    ['create -h', 'create', true],
    ['-h create', 'create', true],
    ['key add --help', 'key add', true],
    ['audit --help', 'audit', true],
    ['--help', 'help', false],
    ['-h', 'help', false],
    ['--json --help', 'help', false],
  ])('is recognised in %s', (line, verb, help) => {
    const invocation = parse(line);
    expect([invocation.verb.name, invocation.help]).toEqual([verb, help]);
  });

  it('after the first word of several verbs becomes the verb help', () => {
    expect(read('key --help')).toEqual(['help', { verb: 'key' }]);
    expect(parse('key --json -h').format).toBe('json');
  });
});

describe('parseCommandLine', () => {
  it.each([
    ['crate alice', 'unknown-command', '"crate"', 'did you mean "create"?'],
    ['lst', 'unknown-command', '"lst"', 'did you mean "list"?'],
    ['key ad alice', 'unknown-command', '"key ad"', 'did you mean "key add"?'],
    ['nonsense', 'unknown-command', '"nonsense"', 'see "help"'],
    ['key xyz', 'unknown-command', '"key xyz"', '"key add", "key list", "key remove", "key replace" or "key invite"'],
    ['audit foo', 'unknown-command', '"audit foo"', '"audit verify" or "audit export"'],
    ['""', 'unknown-command', '""', 'see "help"'],
    ['constructor', 'unknown-command', '"constructor"', 'see "help"'],
    ['create alice --cpus 2', 'unknown-option', '"create"', 'did you mean --cpu?'],
    ['rm alice --yess', 'unknown-option', '"delete"', 'did you mean --yes?'],
    ['create alice --no-cpu', 'unknown-option', '"create"', 'did you mean --cpu?'],
    ['list --zzzzz', 'unknown-option', '"list"', 'see "help list"'],
    ['audit verify --actor carol', 'unknown-option', '"audit verify"', 'see "help audit verify"'],
    ['create', 'usage', '"create"', 'see "help create"'],
    ['key remove alice', 'usage', '"key remove"', 'see "help key remove"'],
    ['create alice bob', 'usage', '"create"', 'see "help create"'],
    ['info alice ""', 'usage', '"info"', 'see "help info"'],
    ['list -- --state', 'usage', '"list"', 'see "help list"'],
    ['create alice --cpu', 'usage', '"create"', 'see "help create"'],
    ['list --format xml', 'usage', '"list"', 'see "help list"'],
    ['list --state run', 'usage', '"list"', 'see "help list"'],
    [
      'audit --verb key add',
      'usage',
      '"audit"',
      `see "help audit"; over ssh, a value with spaces needs quotes within quotes: '"two words"'`,
    ],
    ['audit --actor carol verify', 'usage', '"audit verify"', 'type "audit verify" first, then the options'],
    ['key', 'usage', '"key"', '"key add", "key list", "key remove", "key replace" or "key invite"'],
    ['', 'usage', 'command line', 'see "help"'],
    ['--json', 'usage', 'command line', 'see "help"'],
  ])('refuses "%s" with %s', (line, code, what, next) => {
    expect(failureOf(line)).toMatchObject({ code, what, next });
  });

  it.each([
    ['create alice --cpus=2', 'unknown option "--cpus"'],
    ['list -z', 'unknown option "-z"'],
    [
      'list "--it\'s \u202e"',
      'unknown option "--it\'s \\u{202e}", and what was given has a character that turns the direction of the text (U+202E)',
    ],
    [`list --${'z'.repeat(300)}`, `unknown option "--${'z'.repeat(57)}…"`],
    ['key --zzz', 'unknown option "--zzz"'],
    ['create alice --cpu', 'missing value: --cpu <count>'],
    ['create alice -l', 'missing value: --label <key=value>'],
    ['list --format', 'missing value: --format <format>'],
    ['list --format xml', '--format must be table, json, yaml or csv, not "xml"'],
    ['list --state run', '--state must be all, running or stopped, not "run"'],
    ['list --state ""', '--state must be all, running or stopped, not ""'],
    ['list alice', 'too many arguments: "alice"; it takes none'],
    ['list --label note=two words --json', 'too many arguments: "words"; it takes none'],
    ['--json ls words', 'too many arguments: "words"; it takes none'],
    ['info alice bob', 'too many arguments: "bob"; it takes only <user>'],
    ['key remove alice SHA256:x y', 'too many arguments: "y"; it takes only <user> and <key>'],
  ])('says in its own words what is wrong with "%s"', (line, why) => {
    expect(failureOf(line).why).toBe(why);
  });

  it('says how to quote a value with spaces if there are too many arguments', () => {
    const { next } = failureOf('list --label note=two words');
    expect(next).toBe(`see "help list"; over ssh, a value with spaces needs quotes within quotes: '"two words"'`);
    expect(parse(`list --label '"note=two words"'`.replaceAll("'", '')).input).toEqual({ labels: ['note=two words'] });
  });

  it('returns a verb that the actor may not use without its input', () => {
    for (const [line, actor] of [
      ['delete alice --yes', owner],
      ['create alice', owner],
      ['config', admin],
      ['keys', root],
      ['admin add x', { entryPoint: 'manage', role: 'viewer' }],
    ] as const) {
      const invocation = parse(line, actor);
      expect(mayUse(invocation.verb, actor.entryPoint, actor.role)).toBe(false);
      expect(invocation.input).toEqual({});
    }
  });

  it('throws only usage failures, without control characters and each with its reason, for any words', () => {
    const word = fc.oneof(
      fc.constantFrom(
        ...verbNames.flatMap((name) => name.split(' ')),
        '--json',
        '--format',
        '--',
        '-h',
        '--cpu',
        '--no-docker',
      ),
      fc.string({ unit: anyCharacter, maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), fc.constantFrom(admin, owner, root), (words, actor) => {
        try {
          parseCommandLine(words, actor);
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          expect(error.exitCode).toBe(2);
          // The sentence for an error of commander that has none of its own.
          expect(error.why).not.toBe('it is not a command');
          expect(`${error.what} ${error.why} ${error.next ?? ''}`).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        }
      }),
      { numRuns: 150 },
    );
  });
});
