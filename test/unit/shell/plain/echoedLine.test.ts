/** EchoedLine and LineReader: what a real terminal shows of a line that is edited with backspaces only. */
import xterm from '@xterm/headless';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test, vi } from 'vitest';
import { LineReader } from '../../../../src/front/sessions/lineReader.ts';
import { charactersOf, cellOf } from '../../../../src/shell/composer/cells.ts';
import { edited } from '../../../../src/shell/composer/editKeys.ts';
import { emptyLine, insert, type Line } from '../../../../src/shell/composer/line.ts';
import { EchoedLine } from '../../../../src/shell/plain/echoedLine.ts';
import { useModernWidths } from '../../../support/unicodeWidths.ts';

const prompt = '> ';

interface Place {
  readonly row: number;
  readonly column: number;
}

/** A terminal without a kernel terminal behind it, as a client of SSH has it. */
class Screen {
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  /** The row on which the line begins. */
  #first = 0;
  /** How often the line was written on a new row. */
  rewritten = 0;

  constructor(columns: number) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows: 24, scrollback: 10_000, allowProposedApi: true });
    useModernWidths(this.#terminal.unicode);
  }

  async write(text: string): Promise<this> {
    const [before = '', ...lines] = text.split(/\r?\n/);
    await this.#write(before);
    for (const line of lines) {
      await this.#write('\r\n');
      const { active } = this.#terminal.buffer;
      this.#first = active.baseY + active.cursorY;
      this.rewritten++;
      await this.#write(line);
    }
    return this;
  }

  #write(text: string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(text, resolve));
  }

  get cursor(): Place {
    const { active } = this.#terminal.buffer;
    return { row: active.baseY + active.cursorY - this.#first, column: active.cursorX };
  }

  /** The rows of the line, without blanks at their ends. */
  get rows(): string[] {
    const { active } = this.#terminal.buffer;
    const all = Array.from(
      { length: active.baseY + 24 - this.#first },
      (_, i) =>
        active
          .getLine(this.#first + i)
          ?.translateToString(true)
          .trimEnd() ?? '',
    );
    while (all.at(-1) === '') all.pop();
    return all;
  }

  /** All that was ever shown. */
  get everything(): string {
    const { active } = this.#terminal.buffer;
    return Array.from(
      { length: active.baseY + 24 },
      (_, i) =>
        (active.getLine(i)?.isWrapped === true ? '' : '\n') + (active.getLine(i)?.translateToString(true) ?? ''),
    ).join('');
  }
}

/** Returns how text is shown, as a reference that writes it once and moves no cursor. */
const shownAs = (text: string): string =>
  charactersOf(text)
    .map((character) => cellOf(character).shown)
    .join('');

/** Checks that a screen shows a line as if it had been written at once, with the cursor where it is in the line. */
async function showsLine(screen: Screen, { text, cursor }: Line, columns: number): Promise<void> {
  const [before, after] = [text.slice(0, cursor), text.slice(cursor)];
  const whole = (await new Screen(columns).write(prompt + shownAs(before) + shownAs(after))).rows;
  const atCursor = await new Screen(columns).write(prompt + shownAs(before));
  const afterPrevious = { ...atCursor.cursor };
  const [next = ''] = charactersOf(shownAs(after));
  const { column, row } = (await atCursor.write(next)).cursor;
  const beforeNext = { row, column: column - cellOf(next === '' ? 'x' : next).width };
  const margin = { row: afterPrevious.row + 1, column: 0 };
  const places = [
    afterPrevious,
    ...(next === '' ? [] : [beforeNext]),
    ...(afterPrevious.column === columns ? [margin] : []),
  ];
  const context = JSON.stringify({ text, cursor, columns });
  expect(places, context).toContainEqual(screen.cursor);
  const at = screen.cursor.row;
  const all = whole[at] ?? '';
  // A cursor cannot come back from the margin, so a character at the margin after the cursor is left out.
  const withoutLast = charactersOf(all).slice(0, -1).join('').trimEnd();
  const last = stringWidth(all) === columns && screen.rows[at] === withoutLast ? withoutLast : all;
  expect(screen.rows.join('\n'), context).toBe([...whole.slice(0, at), last].join('\n').trimEnd());
}

const names = [
  ...['left', 'right', 'home', 'end', 'ctrl-a', 'ctrl-e', 'ctrl-b', 'ctrl-f', 'alt-b', 'alt-f', 'ctrl-left'],
  ...['ctrl-right', 'backspace', 'delete', 'ctrl-t', 'ctrl-k', 'ctrl-u', 'ctrl-w', 'alt-backspace', 'alt-d'],
];
const pieces = ['a', 'Z9', ' ', 'two words', '-', 'é', 'e\u0301', '\u0301', '界', '容 器', '👍', 'x\u202ey', '\u200d'];
const step = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...names).map((name) => ({ name })) },
  { weight: 2, arbitrary: fc.constantFrom(...pieces).map((text) => ({ text })) },
);

test.each([200, 40, 12, 7])('a line of %i columns looks as written at once after any keys', async (columns) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 25 }), async (packets) => {
      const echoed = new EchoedLine(prompt, () => columns);
      const screen = await new Screen(columns).write(prompt);
      let line = emptyLine;
      let hasFirstMark = false;
      for (const packet of packets) {
        for (const each of packet) {
          if ('text' in each) echoed.insert(each.text);
          else expect(echoed.press(each.name)).toBe(true);
          line = 'text' in each ? insert(line, each.text) : (edited(line, each.name) ?? line);
        }
        // The blank of the prompt would have to be written again with it.
        hasFirstMark ||= line.text.startsWith('\u0301');
        await screen.write(echoed.update());
        expect(echoed.line).toEqual(line);
        await showsLine(screen, line, columns);
      }
      if (columns === 200 && !hasFirstMark) expect(screen.rewritten).toBe(0);
    }),
    { numRuns: 60 },
  );
});

/** Keys as terminals send them: xterm, its application mode, rxvt, the Linux console, kitty's protocol. */
const sent: readonly (readonly [string, ...string[]])[] = [
  ['left', '\x1b[D', '\x1bOD', '\x02'],
  ['right', '\x1b[C', '\x1bOC', '\x06'],
  ['home', '\x1b[H', '\x1bOH', '\x1b[1~', '\x1b[7~', '\x01'],
  ['end', '\x1b[F', '\x1bOF', '\x1b[4~', '\x1b[8~', '\x05'],
  ['alt-b', '\x1bb', '\x1b[1;5D', '\x1b[1;3D', '\x1bOd', '\x1b[98;3u'],
  ['alt-f', '\x1bf', '\x1b[1;5C', '\x1b[1;3C', '\x1bOc', '\x1b[102;3u'],
  ['delete', '\x1b[3~'],
  ['backspace', '\x7f', '\b'],
  ['ctrl-k', '\x0b'],
  ['ctrl-u', '\x15'],
  ['ctrl-w', '\x17'],
  ['ctrl-t', '\x14'],
  ['alt-d', '\x1bd'],
  ['alt-backspace', '\x1b\x7f'],
];
const typedKeys = fc.oneof(
  fc.constantFrom(
    ...sent.flatMap(([name, ...sequences]) => sequences.map((sequence) => ({ name, sequence, text: undefined }))),
  ),
  fc.constantFrom(...pieces).map((text) => ({ name: undefined, sequence: text, text })),
);

describe('a question over ssh', () => {
  const asked = (columns: number) => {
    let written = '';
    const held: boolean[] = [];
    const reader = new LineReader({
      echo: (text) => (written += text),
      columns,
      line: () => undefined,
      ended: () => undefined,
      interrupted: () => undefined,
      hold: (each) => held.push(each),
    });
    const answer = reader.ask('Name?\n> ', '');
    return { reader, answer, written: () => written, held };
  };

  test('is answered with the line that the terminal shows, whichever terminal sends the keys', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(typedKeys, { maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(9, 80),
        async (keys, size, columns) => {
          const { reader, answer, written } = asked(columns);
          const input = Buffer.from(keys.map(({ sequence }) => sequence).join(''));
          for (let at = 0; at < input.length; at += size) reader.push(input.subarray(at, at + size));
          reader.push(Buffer.from('\r'));
          const text = await answer;
          const line = keys.reduce<Line>(
            (before, key) => (key.text === undefined ? (edited(before, key.name) ?? before) : insert(before, key.text)),
            emptyLine,
          );
          expect(text).toBe(line.text);
          const { everything } = await new Screen(columns).write(written());
          const shown = (await new Screen(columns).write(prompt + shownAs(text))).everything;
          expect(everything.trimEnd().endsWith(shown.trimEnd())).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('lets other clients go on while one edits the longest line with thousands of keys', async () => {
    const { reader, answer, held } = asked(80);
    let isDone = false;
    reader.push(Buffer.from('界'.repeat(16_384)));
    reader.push(Buffer.from('\x01\x1bf\x02'.repeat(5000)));
    reader.push(Buffer.from('end\r'));
    reader.afterInput(() => (isDone = true));
    expect(isDone).toBe(false);
    expect(held).toEqual([true]);
    reader.push(Buffer.from('\x15'));
    // The line is full, so what is typed at its end is dropped.
    expect(await answer).toBe('界'.repeat(16_384));
    await vi.waitFor(() => expect(isDone).toBe(true));
    expect(held).toEqual([true, false]);
  });

  test('shows a packet of keys once', () => {
    const { reader, written } = asked(80);
    reader.push(Buffer.from('x\x1b[D'.repeat(1000)));
    expect(written()).toBe(`Name?\n> ${'x'.repeat(77)}${'\b'.repeat(77)}`);
  });

  test('shows all of its line when it is answered', async () => {
    const { reader, answer, written } = asked(10);
    reader.push(Buffer.from('abcdefghijklmnop'));
    reader.push(Buffer.from('\x01'));
    expect(written()).toBe('Name?\n> abcdefghijklmnop\n> abcdefg\b\b\b\b\b\b\b');
    reader.push(Buffer.from('\r'));
    expect(await answer).toBe('abcdefghijklmnop');
    expect(written().endsWith('\b\b\b\b\b\b\babcdefghijklmnop\n')).toBe(true);
  });
});

describe('a reader of lines', () => {
  test.each([
    ['Enter', '\r'],
    ['Ctrl-D', '\x04'],
    ['Ctrl-C', '\x03'],
  ])('takes a packet full of %s in turns, between which others are served', async (_, key) => {
    let ends = 0;
    const reader = new LineReader({
      echo: () => undefined,
      columns: 80,
      line: () => ends++,
      ended: () => ends++,
      interrupted: () => ends++,
      hold: () => undefined,
    });
    reader.push(Buffer.from(key.repeat(32_000)));
    // A twentieth of the packet at most.
    expect(ends).toBeLessThanOrEqual(1600);
    await vi.waitFor(() => expect(ends).toBe(32_000), 10_000);
  });
});
