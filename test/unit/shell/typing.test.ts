/** What a client sends, in pieces that hold up nobody: in order, whole, few keys at a time, and bounded. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Typing } from '../../../src/shell/terminal/typing.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Reader {
  readonly pieces: string[] = [];
  readonly waits: boolean[] = [];
  readonly typing = new Typing(
    (text) => this.pieces.push(text),
    (full) => this.waits.push(full),
  );

  get all(): string {
    return this.pieces.join('');
  }

  /** When nothing waits any more. */
  async done(): Promise<string> {
    for (let before = -1; before !== this.pieces.length;) {
      before = this.pieces.length;
      await turn();
      await turn();
    }
    return this.all;
  }
}

describe('what is typed', () => {
  test('arrives at once and whole', () => {
    for (const text of [
      'a',
      'list\r',
      '\x1b[A',
      '\x1b\x1b[D',
      '\x1bOP',
      '\x1bb',
      '\x1b[[A',
      '\x1b[1;5C',
      '\x7f',
      'é👩‍👧',
    ]) {
      const reader = new Reader();
      reader.typing.push(text);
      expect(reader.all).toBe(text);
    }
  });

  test('arrives in order and without a loss, however it is split', async () => {
    const part = fc.constantFrom(
      'a',
      'é',
      '👩‍👧',
      '\t',
      '\r',
      '\x7f',
      '\x1b[A',
      '\x1b[1;5C',
      '\x1bOB',
      '\x1bb',
      'x'.repeat(50),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(part, fc.boolean()), { maxLength: 200 }), async (parts) => {
        const reader = new Reader();
        let packet = '';
        for (const [text, ends] of parts) {
          packet += text;
          if (!ends) continue;
          reader.typing.push(packet);
          packet = '';
        }
        reader.typing.push(packet);
        expect(await reader.done()).toBe(parts.map(([text]) => text).join(''));
      }),
      { numRuns: 50 },
    );
  });

  // Two Escapes are one key: Alt-Escape.
  test.each(['\t', '\x1b[A', '\x7f', '\x1b\x1b'])('%j a thousand times takes many turns', async (key) => {
    const reader = new Reader();
    reader.typing.push(key.repeat(1000));
    expect(reader.pieces.length).toBe(1);
    await reader.done();
    await pause(40);
    expect(reader.all).toBe(key.repeat(1000));
    expect(Math.max(...reader.pieces.map((piece) => piece.length / key.length))).toBeLessThanOrEqual(16);
  });

  test('long text takes turns too: where it is no line, each letter is a key', async () => {
    const reader = new Reader();
    reader.typing.push('x'.repeat(10_000));
    expect(await reader.done()).toBe('x'.repeat(10_000));
    expect(Math.max(...reader.pieces.map((piece) => piece.length))).toBeLessThanOrEqual(512);
  });
});

describe('a sequence in two packets', () => {
  test('is handed on whole', () => {
    const reader = new Reader();
    reader.typing.push('\x1b');
    reader.typing.push('[1;');
    expect(reader.all).toBe('');
    reader.typing.push('5C');
    expect(reader.pieces).toEqual(['\x1b[1;5C']);
  });

  test('of which no more comes was a key', async () => {
    const reader = new Reader();
    reader.typing.push('\x1b');
    await pause(60);
    expect(reader.all).toBe('\x1b');
  });

  test('that never ends is not kept', async () => {
    const reader = new Reader();
    reader.typing.push('\x1b[');
    for (let i = 0; i < 100; i++) reader.typing.push('0'.repeat(1000));
    await reader.done();
    reader.typing.push('\x1b[A');
    expect((await reader.done()).endsWith('\x1b[A')).toBe(true);
    expect(Math.max(...reader.pieces.map((piece) => piece.length))).toBeLessThanOrEqual(512);
  });
});

describe('a paste', () => {
  test('is handed on whole, and what surrounds it is typed', async () => {
    const reader = new Reader();
    for (const text of ['a\x1b[20', '0~one\rtwo', '\x1b[2', '01', '~b\r']) reader.typing.push(text);
    await reader.done();
    expect(reader.pieces).toEqual(['a', '\x1b[200~one\rtwo\x1b[201~', 'b\r']);
  });

  test('is cut where no line is longer', async () => {
    const reader = new Reader();
    reader.typing.push('\x1b[200~');
    for (let i = 0; i < 100; i++) reader.typing.push('y'.repeat(1000));
    expect(reader.all).toBe('');
    reader.typing.push('\x1b[201~z');
    expect(await reader.done()).toBe(`\x1b[200~${'y'.repeat(16_384)}\x1b[201~z`);
  });

  test('that the terminal does not mark stays in one piece', () => {
    const reader = new Reader();
    const key = `ssh-ed25519 ${'A'.repeat(3000)} a@b\n`;
    reader.typing.push(key.repeat(3));
    expect(reader.pieces).toEqual([key.repeat(3)]);
  });
});

describe('a client that sends more than is taken', () => {
  test('is told to wait, and when it may go on', async () => {
    const reader = new Reader();
    reader.typing.push('\t'.repeat(70_000));
    expect(reader.waits).toEqual([true]);
    expect((await reader.done()).length).toBe(70_000);
    expect(reader.waits).toEqual([true, false]);
  });

  test('may go on when nobody reads any more', () => {
    const reader = new Reader();
    reader.typing.push('\t'.repeat(70_000));
    reader.typing.close();
    expect(reader.waits).toEqual([true, false]);
  });
});
