import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxLineBytes } from '../../../src/journal/chain.ts';
import { firstGap, listSegments, readLines, segmentName } from '../../../src/journal/segments.ts';
import { collect, temporaryFolder } from './support.ts';

describe('readLines', () => {
  it('yields every line with its position, for all lengths and chunk boundaries', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lines');
    const length = fc.oneof(
      fc.nat({ max: 20 }),
      fc.integer({ min: 65_000, max: 66_000 }),
      fc.integer({ min: 131_000, max: 131_100 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(length, { maxLength: 12 }), fc.nat({ max: 70_000 }), async (lengths, tail) => {
        const texts = lengths.map((size, i) => String.fromCharCode(97 + i).repeat(size));
        await writeFile(path, texts.map((text) => `${text}\n`).join('') + 'z'.repeat(tail));
        const lines = (await collect(readLines(path))).flat();
        const complete = lines.filter(({ form }) => form === 'complete');
        expect(complete.map(({ bytes }) => bytes.toString())).toEqual(texts);
        expect(complete.map(({ number }) => number)).toEqual(texts.map((_, i) => i + 1));
        let offset = 0;
        for (const line of complete) {
          expect(line.offset).toBe(offset);
          offset += line.bytes.length + 1;
        }
        const rest = lines.filter(({ form }) => form === 'incomplete');
        expect(rest.map((line) => [line.offset, line.bytes.length])).toEqual(tail === 0 ? [] : [[offset, tail]]);
      }),
      { numRuns: 40 },
    );
  });

  it('ends at a line that is too long, and discards it', async () => {
    const path = join(await temporaryFolder(), 'lines');
    await writeFile(path, 'short\n');
    await truncate(path, 100 * 1024 * 1024);
    const lines = (await collect(readLines(path))).flat();
    expect(lines.map(({ number, form, bytes }) => [number, form, bytes.length])).toEqual([
      [1, 'complete', 5],
      [2, 'too-long', 0],
    ]);
  });

  it('accepts a line of the maximum length and not one byte more', async () => {
    const path = join(await temporaryFolder(), 'lines');
    await writeFile(path, `${'x'.repeat(maxLineBytes - 1)}\n${'y'.repeat(maxLineBytes)}\n`);
    const lines = (await collect(readLines(path))).flat();
    expect(lines.map(({ form, bytes }) => [form, bytes.length])).toEqual([
      ['complete', maxLineBytes - 1],
      ['too-long', 0],
    ]);
  });

  it('stops at the given position', async () => {
    const path = join(await temporaryFolder(), 'lines');
    await writeFile(path, 'one\ntwo\nthree\n');
    const lines = (await collect(readLines(path, { endBytes: 8 }))).flat();
    expect(lines.map(({ bytes }) => bytes.toString())).toEqual(['one', 'two']);
  });

  it('rejects if the file does not exist, and when it is cancelled', async () => {
    const path = join(await temporaryFolder(), 'lines');
    await expect(collect(readLines(path))).rejects.toMatchObject({ code: 'not-found' });
    await writeFile(path, 'one\n');
    await expect(collect(readLines(path, { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});

describe('the segments of a folder', () => {
  it('are the files with a segment name, in numerical order', async () => {
    const folder = await temporaryFolder();
    const segments = ['000002.jsonl', '000001.jsonl', '1000000.jsonl'];
    const others = ['000000.jsonl', '3.jsonl', 'head.json', '000003.jsonl.bak', 'x000004.jsonl'];
    for (const name of [...segments, ...others]) await writeFile(join(folder, name), '');
    expect(await listSegments(folder)).toEqual([1, 2, 1_000_000]);
    expect(segmentName(1_000_000)).toBe('1000000.jsonl');
  });

  it('cannot be listed without the folder, which differs from an empty folder', async () => {
    const folder = await temporaryFolder();
    expect(await listSegments(folder)).toEqual([]);
    await expect(listSegments(join(folder, 'absent'))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('have a gap if a number is missing', () => {
    expect(firstGap([])).toBeUndefined();
    expect(firstGap([1, 2, 3])).toBeUndefined();
    expect(firstGap([2, 3])).toBe(1);
    expect(firstGap([1, 3])).toBe(2);
  });
});
