/** SequenceReader finds keys, text and pastes in what a terminal sends, however it is cut, and swallows all else. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SequenceReader, type Token } from '../../../src/shell/terminal/sequenceReader.ts';

const escapeKey = '\x1b[27u';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Reads pieces, each `pauseMs` after the one before, and returns what was typed, in the form that Ink reads. */
async function typed(pieces: readonly Buffer[], pauseMs = 0): Promise<string> {
  const tokens: Token[] = [];
  let now = 0;
  const reader = new SequenceReader(
    (found) => tokens.push(...found),
    () => now,
  );
  for (const piece of pieces) {
    reader.push(piece);
    now += pauseMs;
    await vi.advanceTimersByTimeAsync(pauseMs);
  }
  await vi.advanceTimersByTimeAsync(10_000);
  return tokens.map(shown).join('');
}

function shown(token: Token): string {
  if (token.kind === 'text') return token.text;
  return token.kind === 'key' ? token.sequence : token.kind === 'paste' ? `<${token.text}>` : '<too long>';
}

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');
const oneByOne = (data: Buffer): Buffer[] => Array.from(data, (byte) => Buffer.from([byte]));

/** What terminals send, and what a shell takes it for. */
const inputs: readonly (readonly [name: string, sent: string | Buffer, expected: string])[] = [
  ['text', 'héllo 👩‍👧\r', 'héllo 👩‍👧\r'],
  ['cursor keys', '\x1b[A\x1bOB\x1b[1;5C\x1b[D', '\x1b[A\x1b[B\x1b[1;5C\x1b[D'],
  ['Alt with an arrow of xterm', '\x1b[1;3D', '\x1b[1;3D'],
  ['Alt with an arrow of iTerm2', '\x1b[1;9D', '\x1b[1;3D'],
  ['Alt with an arrow of rxvt', '\x1b\x1b[D', '\x1b[1;3D'],
  ['Ctrl with an arrow of rxvt', '\x1bOd', '\x1b[1;5D'],
  ['Home and End', '\x1b[H\x1bOF\x1b[1~\x1b[4~\x1b[7~\x1b[8~', '\x1b[H\x1b[F\x1b[H\x1b[F\x1b[H\x1b[F'],
  ['editing keys', '\x1b[3~\x1b[5~\x1b[6~\x1b[Z\x7f', '\x1b[3~\x1b[5~\x1b[6~\x1b[Z\x7f'],
  ['Shift and Ctrl with Delete of rxvt', '\x1b[3$\x1b[3^', '\x1b[3~\x1b[3;5~'],
  ['Alt with a letter', '\x1bbx', '\x1bbx'],
  ['Alt with a letter beyond ASCII', '\x1böx', '\x1böx'],
  ['Alt-Backspace', '\x1b\x7f', '\x1b\x7f'],
  ['Escape', '\x1b', escapeKey],
  ['Escape twice', '\x1b\x1b', escapeKey.repeat(2)],
  ['Escape and Enter', '\x1b\r', `${escapeKey}\r`],
  [
    'the keypad in application mode',
    '\x1bOp\x1bOq\x1bOy\x1bOj\x1bOk\x1bOl\x1bOm\x1bOn\x1bOo\x1bOX\x1bOM',
    '019*+,-./=\r',
  ],
  ['the keypad of the kitty protocol', '\x1b[57400u\x1b[57414u\x1b[57419u', '1\r\x1b[A'],
  ['keys of the kitty protocol', '\x1b[97u\x1b[97;2u\x1b[98;3u\x1b[99;5u\x1b[27u', `aA\x1bb\x03${escapeKey}`],
  ['a key of the kitty protocol that is let go', '\x1b[97;1:3u', ''],
  ['keys of modifyOtherKeys', '\x1b[27;5;97~\x1b[27;2;13~', '\x01\r'],
  ['function keys', 'a\x1bOP\x1b[15~\x1b[[A\x1b[2~b', 'ab'],
  ['a mouse report in the old encoding', 'a\x1b[M !!b', 'ab'],
  ['a mouse report with bytes of any kind', Buffer.from('a\x1b[M\x20\xe9\x1bb', 'latin1'), 'ab'],
  ['a mouse report with letters of the live list', '\x1b[Mxru', ''],
  ['a mouse report with Ctrl-C and Enter', '\x1b[M\x03\r\x04', ''],
  ['mouse reports of SGR and urxvt', 'a\x1b[<0;10;20M\x1b[<0;10;20m\x1b[32;10;20Mb', 'ab'],
  ['highlight reports of the mouse', 'a\x1b[txx\x1b[Txxxxxxb', 'ab'],
  ['focus reports', 'a\x1b[I\x1b[Ob', 'ab'],
  ['a colour, ended with BEL', 'a\x1b]11;rgb:ffff/ffff/ffff\x07b', 'ab'],
  ['a colour, ended with ST', 'a\x1b]11;rgb:xxxx/rrrr/uuuu\x1b\\b', 'ab'],
  ['a setting', 'a\x1bP1$r0;1m\x1b\\b', 'ab'],
  ['a long string', `a\x1b]52;c;${'x'.repeat(20_000)}\x07b`, 'ab'],
  ['device attributes', 'a\x1b[?62;22c\x1b[>41;354;0cb', 'ab'],
  ['the position of the cursor', 'a\x1b[24;80Rb', 'ab'],
  ['the state of a mode', 'a\x1b[?2026;2$yb', 'ab'],
  ['a sequence that never ends', `a\x1b[${'0'.repeat(5000)}\x1b[A`, 'a\x1b[A'],
  ['Enter after Alt-]', '\x1b]list\r', '\r'],
  ['a paste', 'a\x1b[200~one\rtwo\x1b[A\x1b]x\x1b[201~b', 'a<one\rtwo\x1b[A\x1b]x>b'],
  ['an end of a paste alone', 'a\x1b[201~b', 'ab'],
];

const dataOf = (sent: string | Buffer): Buffer => (typeof sent === 'string' ? bytes(sent) : sent);

describe('SequenceReader', () => {
  test.each(inputs)('takes %s for the same keys, whole and byte by byte', async (_, sent, expected) => {
    expect(await typed([dataOf(sent)])).toBe(expected);
    expect(await typed(oneByOne(dataOf(sent)))).toBe(expected);
  });

  test.each(inputs.filter(([, sent]) => sent.length < 100 && sent !== '\x1b\x1b'))(
    'takes %s for the same keys when each byte comes 300 ms after the one before',
    async (_, sent, expected) => {
      expect(await typed(oneByOne(dataOf(sent)), 300)).toBe(expected);
    },
  );

  test('takes any input for the same keys, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...inputs.slice(0, 10), ...inputs.slice(16)), { maxLength: 10 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        async (chosen, lengths) => {
          const all = Buffer.concat(chosen.map(([, sent]) => dataOf(sent)));
          const pieces: Buffer[] = [];
          for (let at = 0, i = 0; at < all.length; at += pieces.at(-1)?.length ?? 1)
            pieces.push(all.subarray(at, at + (lengths[i++ % lengths.length] ?? 1)));
          expect(await typed(pieces)).toBe(await typed([all]));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('waits for the rest of a sequence, and not for ever', async () => {
    const tokens: Token[] = [];
    const reader = new SequenceReader((found) => tokens.push(...found));
    reader.push(bytes('\x1b'));
    await vi.advanceTimersByTimeAsync(450);
    expect(tokens).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    expect(tokens).toEqual([{ kind: 'key', sequence: escapeKey }]);
  });

  test('takes what is typed two seconds after Alt-] for text', async () => {
    expect(await typed([bytes('\x1b]'), bytes('list')], 2500)).toBe('list');
  });

  test('refuses a paste of more than 256 KiB as a whole', async () => {
    const most = 'y'.repeat(256 * 1024);
    expect(await typed([bytes(`\x1b[200~${most}\x1b[201~z`)])).toBe(`<${most}>z`);
    expect(await typed([bytes('\x1b[200~'), bytes(most), bytes('y\x1b[201~z')])).toBe('<too long>z');
  });
});
