/** InputPacer passes input on in order and complete, a few keys per turn, with bounded buffers. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputPacer } from '../../../src/shell/terminal/inputPacer.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Reader {
  readonly pieces: string[] = [];
  readonly waits: boolean[] = [];
  readonly pacer = new InputPacer(
    (text) => this.pieces.push(text),
    (full) => this.waits.push(full),
  );

  get all(): string {
    return this.pieces.join('');
  }

  /** Resolves with all input once none is waiting. */
  async done(): Promise<string> {
    for (let before = -1; before !== this.pieces.length;) {
      before = this.pieces.length;
      await turn();
      await turn();
    }
    return this.all;
  }
}

describe('InputPacer', () => {
  test('passes a key or a short line on at once', () => {
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
      reader.pacer.push(text);
      expect(reader.all).toBe(text);
    }
  });

  test('passes input on in order and without loss, however it is split', async () => {
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
          reader.pacer.push(packet);
          packet = '';
        }
        reader.pacer.push(packet);
        expect(await reader.done()).toBe(parts.map(([text]) => text).join(''));
      }),
      { numRuns: 50 },
    );
  });

  // Two Escapes are one key, Alt-Escape.
  test.each(['\t', '\x1b[A', '\x7f', '\x1b\x1b'])('spreads a thousand times %j over many turns', async (key) => {
    const reader = new Reader();
    reader.pacer.push(key.repeat(1000));
    expect(reader.pieces.length).toBe(1);
    await reader.done();
    await pause(40);
    expect(reader.all).toBe(key.repeat(1000));
    expect(Math.max(...reader.pieces.map((piece) => piece.length / key.length))).toBeLessThanOrEqual(16);
  });

  test('spreads long text over many turns, because outside a line each letter is a key', async () => {
    const reader = new Reader();
    reader.pacer.push('x'.repeat(10_000));
    expect(await reader.done()).toBe('x'.repeat(10_000));
    expect(Math.max(...reader.pieces.map((piece) => piece.length))).toBeLessThanOrEqual(512);
  });
});

describe('a sequence in two packets', () => {
  test('is passed on in one piece', () => {
    const reader = new Reader();
    reader.pacer.push('\x1b');
    reader.pacer.push('[1;');
    expect(reader.all).toBe('');
    reader.pacer.push('5C');
    expect(reader.pieces).toEqual(['\x1b[1;5C']);
  });

  test('counts as a key if the second packet does not come', async () => {
    const reader = new Reader();
    reader.pacer.push('\x1b');
    await pause(60);
    expect(reader.all).toBe('\x1b');
  });

  test('is dropped if it never ends', async () => {
    const reader = new Reader();
    reader.pacer.push('\x1b[');
    for (let i = 0; i < 100; i++) reader.pacer.push('0'.repeat(1000));
    await reader.done();
    reader.pacer.push('\x1b[A');
    expect((await reader.done()).endsWith('\x1b[A')).toBe(true);
    expect(Math.max(...reader.pieces.map((piece) => piece.length))).toBeLessThanOrEqual(512);
  });
});

describe('a paste through InputPacer', () => {
  test('is passed on in one piece, separate from the keys around it', async () => {
    const reader = new Reader();
    for (const text of ['a\x1b[20', '0~one\rtwo', '\x1b[2', '01', '~b\r']) reader.pacer.push(text);
    await reader.done();
    expect(reader.pieces).toEqual(['a', '\x1b[200~one\rtwo\x1b[201~', 'b\r']);
  });

  test('is cut at the maximum length', async () => {
    const reader = new Reader();
    reader.pacer.push('\x1b[200~');
    for (let i = 0; i < 100; i++) reader.pacer.push('y'.repeat(1000));
    expect(reader.all).toBe('');
    reader.pacer.push('\x1b[201~z');
    expect(await reader.done()).toBe(`\x1b[200~${'y'.repeat(16_384)}\x1b[201~z`);
  });

  test('stays in one piece without markers too', () => {
    const reader = new Reader();
    const key = `ssh-ed25519 ${'A'.repeat(3000)} a@b\n`;
    reader.pacer.push(key.repeat(3));
    expect(reader.pieces).toEqual([key.repeat(3)]);
  });
});

describe('a client that sends more input than fits', () => {
  test('is paused, and resumed when the input has been passed on', async () => {
    const reader = new Reader();
    reader.pacer.push('\t'.repeat(70_000));
    expect(reader.waits).toEqual([true]);
    expect((await reader.done()).length).toBe(70_000);
    expect(reader.waits).toEqual([true, false]);
  });

  test('is resumed when the pacer closes', () => {
    const reader = new Reader();
    reader.pacer.push('\t'.repeat(70_000));
    reader.pacer.close();
    expect(reader.waits).toEqual([true, false]);
  });
});
