/** InputPacer passes input on in order and complete, a few keys per turn, with bounded buffers. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alone } from '../../support/alone.ts';
import { InputPacer } from '../../../src/shell/terminal/inputPacer.ts';
import type { Token } from '../../../src/shell/terminal/sequenceReader.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Reader {
  readonly pieces: string[] = [];
  readonly waits: boolean[] = [];
  readonly pacer = new InputPacer(
    (text) => this.pieces.push(text),
    (full) => this.waits.push(full),
    alone.later,
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

const text = (typed: string): Token => ({ kind: 'text', text: typed });
const key = (sequence: string): Token => ({ kind: 'key', sequence });

describe('InputPacer', () => {
  test('passes a key or a short line on at once', () => {
    for (const token of [text('a'), text('list\r'), key('\x1b[A'), key('\x1bb'), text('\x7f'), text('é👩‍👧')]) {
      const reader = new Reader();
      reader.pacer.push([token]);
      expect(reader.all).toBe(token.kind === 'text' ? token.text : token.kind === 'key' ? token.sequence : '');
    }
  });

  test('passes input on in order and without loss', async () => {
    const part = fc.oneof(
      fc.constantFrom('a', 'é', '👩‍👧', '\t', '\r', '\x7f', 'x'.repeat(50)).map(text),
      fc.constantFrom('\x1b[A', '\x1b[1;5C', '\x1bb').map(key),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(part, { maxLength: 20 }), { maxLength: 20 }), async (packets) => {
        const reader = new Reader();
        for (const packet of packets) reader.pacer.push(packet);
        expect(await reader.done()).toBe(
          packets
            .flat()
            .map((token) => (token.kind === 'text' ? token.text : token.kind === 'key' ? token.sequence : ''))
            .join(''),
        );
      }),
      { numRuns: 50 },
    );
  });

  test.each([text('\t'.repeat(1000)), text('\x7f'.repeat(1000))])(
    'spreads a key a thousand times over many turns',
    async (token) => {
      const reader = new Reader();
      reader.pacer.push([token]);
      expect(reader.pieces.length).toBe(1);
      expect(await reader.done()).toHaveLength(1000);
      expect(Math.max(...reader.pieces.map((piece) => piece.length))).toBeLessThanOrEqual(16);
    },
  );

  test('spreads a thousand sequences over many turns', async () => {
    const reader = new Reader();
    reader.pacer.push(Array.from({ length: 1000 }, () => key('\x1b[A')));
    expect(reader.pieces.length).toBe(1);
    expect(await reader.done()).toBe('\x1b[A'.repeat(1000));
    expect(Math.max(...reader.pieces.map((piece) => piece.length / 3))).toBeLessThanOrEqual(16);
  });

  test('spreads long text over many turns, because outside a line each letter is a key', async () => {
    const reader = new Reader();
    reader.pacer.push([text('x'.repeat(10_000))]);
    expect(await reader.done()).toBe('x'.repeat(10_000));
    expect(Math.max(...reader.pieces.map((piece) => piece.length))).toBeLessThanOrEqual(512);
  });
});

describe('a paste through InputPacer', () => {
  test('is passed on in one piece, separate from the keys around it', async () => {
    const reader = new Reader();
    reader.pacer.push([text('a'), { kind: 'paste', text: 'one\rtwo' }, text('b\r')]);
    await reader.done();
    expect(reader.pieces).toEqual(['a', '\x1b[200~one\rtwo\x1b[201~', 'b\r']);
  });

  test('is not passed on if it is too long', () => {
    const reader = new Reader();
    reader.pacer.push([{ kind: 'long-paste' }, text('z')]);
    expect(reader.pieces).toEqual(['z']);
  });

  test('stays in one piece without markers too', () => {
    const reader = new Reader();
    const line = `ssh-ed25519 ${'A'.repeat(3000)} a@b\n`;
    reader.pacer.push([text(line.repeat(3))]);
    expect(reader.pieces).toEqual([line.repeat(3)]);
  });
});

describe('a client that sends more input than fits', () => {
  test('is paused, and resumed when the input has been passed on', async () => {
    const reader = new Reader();
    reader.pacer.push([text('\t'.repeat(70_000))]);
    expect(reader.waits).toEqual([true]);
    expect((await reader.done()).length).toBe(70_000);
    expect(reader.waits).toEqual([true, false]);
  });

  test('is resumed when the pacer closes', () => {
    const reader = new Reader();
    reader.pacer.push([text('\t'.repeat(70_000))]);
    reader.pacer.close();
    expect(reader.waits).toEqual([true, false]);
  });
});
