import { loadFormat } from '../../../src/catalogue/loadFormat.ts';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { verbNamed, type AnyVerb } from '../../../src/catalogue/catalogue.ts';
import { formats } from '../../../src/catalogue/format.ts';
import { failureSentences } from '../../../src/catalogue/output/sentences.ts';
import { renderAnswer, renderBlocks, renderDocument, renderFailure } from '../../../src/catalogue/render.ts';
import type { HostTag } from '../../../src/domain/results/about.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { anyCharacter } from '../../support/anyCharacter.ts';

await loadFormat('yaml');
await loadFormat('csv');

const host: HostTag = { kind: 'simulated', simulated: true, why: 'the configuration asks for it' };
const context = { now: new Date('2026-11-23T12:00:00Z'), terminal: false };

/** A hostile name, with escape sequences, direction overrides, invisible and zero-width characters, and line breaks. */
const hostile = 'a\u001b[2J\u009b31m\u202eb\u200dc\u0007\u2028d\ufeff\u00ade';
/** Control and format characters except the line feed, which ends lines. None of them may be in the output. */
const unsafe = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

const whoami = verbNamed('whoami');
const me = {
  name: 'carol',
  role: 'admin',
  entryPoint: 'manage',
  fingerprint: 'SHA256:x',
  address: '192.0.2.7',
  containers: [],
  host,
};
const keyList = verbNamed('key list');
const keysWith = (comment: string) => ({
  user: 'alice',
  keys: [
    {
      type: 'ssh-ed25519',
      bits: null,
      fingerprint: 'SHA256:x',
      comment,
      addedAt: '2026-11-22T12:00:00Z',
      addedBy: 'carol',
    },
  ],
});

describe('JSON output', () => {
  it('is one document with the verb, the host, the result and the journal record', () => {
    const { stdout, stderr, exitCode } = renderAnswer(
      { verb: whoami, result: me, journal: { seq: 7, hash: 'abc' } },
      'json',
      host,
      context,
    );
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout.endsWith('}\n')).toBe(true);
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      command: 'whoami',
      host,
      result: me,
      journal: { seq: 7, hash: 'abc' },
    });
  });

  it('has ok: false for a result that is not a success', () => {
    const audit = verbNamed('audit verify');
    const bad = {
      ok: false,
      records: 3,
      firstBad: { segment: '00000001.jsonl', line: 3, seq: 3, reason: 'its hash does not match' },
    };
    const { stdout, exitCode } = renderAnswer({ verb: audit, result: bad }, 'json', host, context);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ ok: false, command: 'audit verify', host, result: bad });
    const left = {
      applied: false,
      differences: [{ kind: 'account-missing', target: 'a', detail: 'd', fix: 'f', fixed: false }],
      checked: { containers: 1, accounts: 0, keyFiles: 0 },
    };
    expect(renderAnswer({ verb: verbNamed('reconcile'), result: left }, 'table', host, context).exitCode).toBe(6);
  });

  it('contains a failure with its code and exit code, and leaves standard error empty', () => {
    const failure = new Failure('not-found', {
      what: 'container of "x"',
      why: 'no such container',
      next: 'list',
      details: { user: 'x' },
    });
    const { stdout, stderr, exitCode } = renderFailure(failure, 'info', 'json', host);
    expect([stderr, exitCode]).toEqual(['', 3]);
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      command: 'info',
      host,
      error: {
        code: 'not-found',
        what: 'container of "x"',
        why: 'no such container',
        next: 'list',
        details: { user: 'x' },
        exitCode: 3,
      },
    });
  });
});

/** Both versions of YAML that readers have: PyYAML, Ansible and Ruby read 1.1. */
const yamlVersions = ['1.1', '1.2'] as const;

describe.each(yamlVersions)('YAML output for a reader of YAML %s', (version) => {
  const parseYaml = (text: string): unknown => parse(text, { version });

  it('parses to the same value as the JSON output, for any value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: anyCharacter, maxDepth: 3 }), (value) => {
        const json = renderDocument({ value }, 'json');
        const yaml = renderDocument({ value }, 'yaml');
        expect(parseYaml(yaml)).toEqual(JSON.parse(json));
        expect(json).not.toMatch(unsafe);
        expect(yaml).not.toMatch(unsafe);
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    'yes',
    'no',
    'null',
    '~',
    '1e3',
    '0x1f',
    '2026-11-23',
    '2026-11-23T14:05:00Z',
    '2026-11-23 14:05:00',
    '12:30:45',
    '1:30',
    '1_000',
    '1,000',
    '017',
    '0o17',
    '0b101',
    '1.5e+3',
    '.5',
    '.inf',
    '-.INF',
    '.NaN',
    '+12',
    'No',
    'ON',
    'off',
    'y',
    'N',
    'True',
    '=',
    '<<',
    ':symbol',
    '?',
    '@at',
    '`',
    '%',
    '|',
    '>',
    ': x',
    '- a',
    '#c',
    ' lead',
    'trail ',
    'a\nb',
    '---',
    '!tag',
    '&a',
    '*a',
    '{}',
    "it's",
  ])('preserves the text %j, as a value and as a key', (text) => {
    const value = { text, [text]: 1, list: [text] };
    expect(parseYaml(renderDocument(value, 'yaml'))).toEqual(value);
  });
});

it('YAML output has a point in a number with an exponent, which is text to YAML 1.1 without it', () => {
  const value = [1e21, 1e-7, -1.5e-9];
  expect(renderDocument(value, 'yaml')).toBe('- 1.0e+21\n- 1.0e-7\n- -1.5e-9\n');
  expect(parse(renderDocument(value, 'yaml'))).toEqual(value);
});

describe('CSV output', () => {
  const csv = (comment: string): string =>
    renderAnswer({ verb: keyList, result: keysWith(comment) }, 'csv', host, context).stdout;

  it('has a header and one row per item', () => {
    expect(csv('laptop')).toBe(
      'type,bits,fingerprint,comment,added_at,added_by\nssh-ed25519,,SHA256:x,laptop,2026-11-22T12:00:00Z,carol\n',
    );
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '=cmd|/C calc!A0'])('neutralises the formula %j', (formula) => {
    expect(csv(formula)).toContain(`,'${formula},`);
  });

  it('quotes text that contains a comma or a quote', () => {
    expect(csv('a,"b"')).toContain(',"a,""b""",');
  });

  it('escapes control characters', () => {
    expect(csv(`${hostile}\r\nb`)).not.toMatch(unsafe);
    expect(csv(`${hostile}\r\nb`)).toContain('e\nb"');
    expect(csv(hostile)).toContain('\\u{1b}[2J');
  });

  const flat = (result: unknown): string => renderAnswer({ verb: whoami, result }, 'csv', host, context).stdout;

  it('of a verb without rows has the fields of the result as one row, and no JSON in a cell', () => {
    expect(flat({ name: 'carol', nested: { a: [1, 2], b: { c: 'd' } }, none: null, yes: true })).toBe(
      'name,nested.a,nested.b.c,none,yes\ncarol,1 2,d,,true\n',
    );
    expect(flat({ container: { user: 'alice', keys: [{ type: 'a' }, { type: 'b' }], labels: {}, list: [] } })).toBe(
      'user,keys.0.type,keys.1.type,labels,list\nalice,a,b,,\n',
    );
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: fc.constantFrom('a', 'b', ' '), maxDepth: 4 }), (value) => {
        expect(flat({ value, name: 'x' })).not.toMatch(/[{}[\]]/);
      }),
    );
  });

  it('keeps line ends in a cell, which RFC 4180 has in quotation marks', () => {
    expect(flat({ config: 'Host a\n  User b\r\n', warnings: ['the first', 'two'] })).toBe(
      'config,warnings\n"Host a\n  User b\n","the first\ntwo"\n',
    );
  });

  it('is empty for a failure, which goes to standard error', () => {
    const { stdout, stderr } = renderFailure(new Failure('busy', { what: '"a"', why: 'b' }), 'x', 'csv', host);
    expect([stdout, stderr]).toEqual(['', 'Error: "a": b (busy)\n']);
  });
});

describe('tables', () => {
  const table = (...names: string[]): string[] =>
    renderBlocks([
      {
        kind: 'table',
        columns: [{ title: 'NAME' }, { title: 'N', align: 'right' }],
        rows: names.map((name, i) => [name, String(10 ** i)]),
        empty: 'none',
      },
    ])
      .trimEnd()
      .split('\n');

  it.each([
    ['ASCII', ['alice', 'bob']],
    ['CJK', ['王小明', 'bob', 'ｆｕｌｌ']],
    ['emoji', ['🙂', 'bob', '👍🏽', '👨‍👩‍👧']],
    ['combining marks', ['e\u0301le\u0300ve', 'bob']],
  ])('have aligned columns with %s', (_, names) => {
    const lines = table(...names);
    expect(lines).toHaveLength(names.length + 1);
    // The last column is right-aligned, so every line ends at the same cell of the terminal.
    expect(new Set(lines.map((line) => stringWidth(line))).size).toBe(1);
  });

  it('have no trailing spaces, and are only their message without rows', () => {
    expect(
      renderBlocks([
        {
          kind: 'table',
          columns: [{ title: 'A' }, { title: 'B' }],
          rows: [
            ['x', ''],
            ['long', 'y'],
          ],
          empty: '',
        },
      ]),
    ).toBe('A     B\nx\nlong  y\n');
    expect(table()).toEqual(['none']);
    expect(renderBlocks([{ kind: 'table', columns: [{ title: 'A' }], rows: [], empty: '' }])).toBe('');
  });

  it('have one line per row, for any text in a cell', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 30 }), (text) => {
        const lines = table(text, 'bob');
        expect(lines).toHaveLength(3);
        expect(lines.join('\n')).not.toMatch(unsafe);
      }),
    );
  });
});

describe('rendered text', () => {
  it('has hostile characters escaped in every kind of block and every format', () => {
    const verb = {
      ...whoami,
      view: () => [
        { kind: 'text', text: hostile },
        { kind: 'verbatim', title: hostile, text: `${hostile}\nnext` },
        { kind: 'fields', title: hostile, fields: [[hostile, hostile]] },
        { kind: 'table', columns: [{ title: 'T' }], rows: [[hostile]], empty: '' },
        { kind: 'table', columns: [{ title: 'T' }], rows: [], empty: hostile },
      ],
    } as AnyVerb;
    for (const format of formats) {
      const { stdout } = renderAnswer({ verb, result: { [hostile]: hostile } }, format, host, context);
      expect(stdout).not.toBe('');
      expect(stdout).not.toMatch(unsafe);
      const failed = renderFailure(
        new Failure('internal', { what: hostile, why: hostile, next: hostile }),
        hostile,
        format,
        host,
      );
      expect(failed.stdout + failed.stderr).not.toBe('');
      expect(failed.stdout + failed.stderr).not.toMatch(unsafe);
    }
  });

  it('tells a user from an admin of the same name among the records', () => {
    const records = [
      { seq: 1, time: '2026-01-01T00:00:00Z', type: 'verb', actor: { name: 'alice', entryPoint: 'manage' } },
      { seq: 2, time: '2026-01-01T00:00:00Z', type: 'step', actor: { name: 'alice', entryPoint: 'self' } },
      { seq: 3, time: '2026-01-01T00:00:00Z', type: 'login', actor: { name: 'alice', door: 'self' } },
    ];
    const answer = { verb: verbNamed('audit'), result: { records, more: false } };
    const table = renderAnswer(answer, 'table', host, context).stdout.split('\n').slice(-4);
    expect(table.map((line) => line.includes('alice (self@)'))).toEqual([false, true, true, false]);
    const csv = renderAnswer(answer, 'csv', host, context).stdout.trim().split('\n').slice(1);
    expect(csv.map((line) => line.split(',').at(-1))).toEqual(['manage', 'self', 'self']);
  });

  it('of exported journal records is valid JSON, even with hostile characters in them', () => {
    const records = [{ type: 'verb', target: hostile, input: { [hostile]: hostile } }, { type: 'outcome' }];
    const { stdout } = renderAnswer({ verb: verbNamed('audit export'), result: { records } }, 'table', host, context);
    expect(stdout).not.toMatch(unsafe);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(records);
  });

  it('has the values of fields aligned by display width', () => {
    const text = renderBlocks([
      {
        kind: 'fields',
        fields: [
          ['名前', 'x'],
          ['Name', 'y'],
          ['N', 'z'],
        ],
      },
    ]);
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => stringWidth(line)),
    ).toEqual([9, 9, 9]);
  });

  it('contains verbatim blocks unchanged', () => {
    const config = 'Host alice-dev\n  User alice\n';
    expect(renderBlocks([{ kind: 'verbatim', text: config.trimEnd() }])).toBe(config);
  });

  it('of a failure has one line with its code, and one line with the next step', () => {
    expect(
      failureSentences({ code: 'usage', what: '"create"', why: 'missing argument <user>', next: 'help create' }),
    ).toBe('Error: "create": missing argument <user> (usage)\nNext: help create\n');
    expect(failureSentences({ code: 'busy', what: 'a', why: 'b' })).toBe('Error: a: b (busy)\n');
  });
});
