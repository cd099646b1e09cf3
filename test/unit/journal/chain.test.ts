import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkLine, entryText, genesis, maxLineBytes, seal } from '../../../src/journal/chain.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import { anyCharacter } from '../../support/anyCharacter.ts';

const noon = Date.parse('2026-01-31T12:00:00.000Z');
const bytesOf = (line: string): Buffer => Buffer.from(line.slice(0, -1));

const entries = fc
  .dictionary(
    fc
      .string({ unit: anyCharacter })
      .filter((key) => !['seq', 'time', 'prev', 'hash', 'type', '__proto__', 'toJSON'].includes(key)),
    fc.jsonValue() as fc.Arbitrary<JsonObject[string]>,
    { maxKeys: 4 },
  )
  .map((fields) => ({ type: 'note', ...fields }));

describe('a sealed line', () => {
  it('has the documented form, with the SHA-256 of its own text up to the hash', () => {
    const { line, head } = seal(genesis, noon, entryText({ type: 'note', text: 'é' }));
    const text = `{"seq":1,"time":"2026-01-31T12:00:00.000Z","prev":"${'0'.repeat(64)}","type":"note","text":"é"`;
    expect(line).toBe(`${text},"hash":"${createHash('sha256').update(text).digest('hex')}"}\n`);
    expect(line).toContain(head.hash);
    expect(head.seq).toBe(1);
  });

  it('is accepted after its predecessor, and keeps every field', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const first = seal(genesis, noon, entryText({ type: 'first' }));
        const second = seal(first.head, noon, entryText(entry));
        const check = checkLine(bytesOf(second.line), first.head);
        if (!check.ok) throw new Error(check.reason);
        const { seq, time, prev, hash, ...fields } = check.record;
        expect({ seq, hash }).toEqual(second.head);
        expect({ time, prev }).toEqual({ time: '2026-01-31T12:00:00.000Z', prev: first.head.hash });
        expect(fields).toEqual(JSON.parse(JSON.stringify(entry)));
      }),
    );
  });

  it('contains no control character except its line feed', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const { line } = seal(genesis, noon, entryText(entry));
        expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      }),
    );
  });

  it('is refused after a change of any byte', () => {
    const { line } = seal(genesis, noon, entryText({ type: 'note', target: 'alice', nested: { hash: 'x' } }));
    fc.assert(
      fc.property(fc.nat({ max: line.length - 2 }), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const bytes = bytesOf(line);
        bytes[at] = (bytes[at] ?? 0) ^ difference;
        expect(checkLine(bytes, genesis).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('is refused in the place of another record', () => {
    const first = seal(genesis, noon, entryText({ type: 'a' }));
    const second = seal(first.head, noon, entryText({ type: 'b' }));
    expect(checkLine(bytesOf(second.line), genesis)).toMatchObject({
      kind: 'altered',
      reason: expect.stringContaining('record 1 is expected here'),
    });
    const other = seal(genesis, noon, entryText({ type: 'c' }));
    expect(checkLine(bytesOf(second.line), other.head)).toMatchObject({
      kind: 'altered',
      reason: expect.stringContaining('hashes differ'),
    });
  });
});

describe('a line that is not a record', () => {
  it.each(['', 'null', '[]', '"text"', '{', '\0\0\0', '{"seq":1}'])('is refused: %j', (text) => {
    expect(checkLine(Buffer.from(text), genesis).ok).toBe(false);
  });

  it('never makes the check throw, whatever its bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => !checkLine(Buffer.from(bytes), undefined).ok));
  });
});

describe('an entry', () => {
  it.each(['seq', 'time', 'prev', 'hash'])('may not set the field %s', (field) => {
    const refused = expect.objectContaining({ code: 'internal', why: expect.stringContaining(field) });
    expect(() => entryText({ type: 'note', [field]: 'x' })).toThrow(refused);
  });

  it('must have a type', () => {
    expect(() => entryText({})).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(() => entryText({ type: '' })).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  it('is refused if its line would be too long for a reader, and the longest accepted entry fits', () => {
    const room = maxLineBytes - 512 - entryText({ type: 'note', text: '' }).length;
    const text = entryText({ type: 'note', text: 'x'.repeat(room) });
    expect(seal({ seq: Number.MAX_SAFE_INTEGER - 1, hash: genesis.hash }, noon, text).line.length).toBeLessThanOrEqual(
      maxLineBytes,
    );
    expect(() => entryText({ type: 'note', text: 'x'.repeat(room + 1) })).toThrow(
      expect.objectContaining({ code: 'input-too-large' }),
    );
  });
});
