/** Words that the parser would read as something else than their writer meant. */
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/catalogue/parse.ts';
import { renderAnswer } from '../../../src/catalogue/render.ts';
import { hasEmptyWord, splitLine } from '../../../src/catalogue/tokens.ts';

const root = { entryPoint: 'local', role: 'root' } as const;
const parse = (line: string) => parseCommandLine(splitLine(line), root, { hasEmptyWord: hasEmptyWord(line) });

describe('the options of another program', () => {
  it.each([
    ['ls -la', '-la'],
    ['list -lah', '-lah'],
    ['list -wla', '-wla'],
    ['list -cuser,ip', '-cuser,ip'],
    ['audit -nall', '-nall'],
    ['logs alice -fnx', '-fnx'],
  ])('are refused: %s', (line, word) => {
    expect(() => parse(line)).toThrow(
      expect.objectContaining({ code: 'unknown-option', why: `unknown option "${word}"` }),
    );
  });

  it('are not taken for a number, a switch, a value or text', () => {
    expect(parse('audit -n50').input).toEqual({ limit: '50' });
    expect(parse('logs alice -fn 20').input).toEqual({ user: 'alice', follow: true, lines: '20' });
    expect(parse('list -l a').input).toEqual({ labels: ['a'] });
    expect(parse('say -- -la').input).toEqual({ text: ['-la'] });
  });
});

describe('an option with a typographic dash', () => {
  it.each([
    ['resize alice —memory 4GiB', 'an em dash "—" (U+2014), not with two hyphens', '--memory'],
    ['create alice –cpu=2', 'an en dash "–" (U+2013), not with two hyphens', '--cpu=2'],
    ['list −−json', 'a minus sign "−" (U+2212), not with two hyphens', '--json'],
    ['list –-label a', 'an en dash "–" (U+2013), not with two hyphens', '--label'],
    ['info —json', 'an em dash "—" (U+2014), not with two hyphens', '--json'],
    ['audit –n 5', 'an en dash "–" (U+2013), not with a hyphen', '-n'],
  ])('is named: %s', (line, dash, meant) => {
    const word = splitLine(line).find((candidate) => /^[–—−]/.test(candidate)) ?? '';
    expect(() => parse(line)).toThrow(
      expect.objectContaining({
        code: 'unknown-option',
        why: `"${word}" begins with ${dash}`,
        next: `type it: ${meant}`,
      }),
    );
  });

  it('may stand in free text', () => {
    expect(parse('say “hello” —json').input).toEqual({ text: ['“hello”', '—json'] });
  });
});

describe('an empty argument is never a missing one', () => {
  it.each([
    'info ',
    'info  --json',
    "info ''",
    'info "" --json',
    '--json info ',
    'backup list ',
    'trash restore alice ',
  ])('is refused, as ssh sends it: "%s"', (line) => {
    const read = () => {
      const { verb, input } = parse(line);
      // Quotation marks show it, and the schema of the argument refuses it.
      if (Object.values(input).includes('')) throw new Error('refused');
      return verb;
    };
    expect(read).toThrow();
  });

  it.each(['info', 'info --json', 'list ', 'list  --json', 'info  alice', 'help ', 'say a  b', 'info --help '])(
    'is not seen where there is none to miss: "%s"',
    (line) => {
      expect(parse(line)).toBeDefined();
    },
  );
});

describe('an empty result names its filter', () => {
  const shown = (line: string, result: object): string => {
    const { verb, input } = parse(line);
    return renderAnswer({ verb, result, input }, 'table', undefined, { now: new Date(), terminal: false }).stdout;
  };
  const none = { containers: [], columns: ['user'], total: 0, running: 0, stopped: 0, foreign: 0 };

  it.each([
    ['list', none, 'No containers\n'],
    [
      'list --label team=blue -l b --state running',
      none,
      'No containers match --state running --label team=blue --label b\n',
    ],
    ['list --user alice --columns user', none, 'No containers match --user alice\n'],
    ['audit --actor "no one" --limit 5', { records: [], more: false }, 'No records match --actor "no one"\n'],
    ['backup list alice', { backups: [] }, 'No backups match alice\n'],
  ])('%s', (line, result, text) => {
    expect(shown(line, result).startsWith(text)).toBe(true);
  });
});
