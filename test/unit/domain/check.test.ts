import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { check, misfitText, parsedText } from '../../../src/domain/check.ts';
import { Failure } from '../../../src/domain/failure.ts';

// A text that check does not word itself would be this one.
beforeAll(() => void z.config({ localeError: () => 'the validator speaks' }));

function textOf(schema: z.ZodType, raw: unknown): string {
  const { misfit } = check(schema, raw);
  return misfit === undefined ? 'accepted' : misfitText(misfit, 'the value');
}

describe('check', () => {
  it('returns the value that the schema makes', () => {
    expect(check(z.object({ count: z.string().transform(Number) }), { count: '7' })).toEqual({ value: { count: 7 } });
  });

  it.each([
    [z.string(), undefined, 'the value: is missing'],
    [z.string(), 7, 'the value: must be text'],
    [z.number(), 'x', 'the value: must be a number'],
    [z.number().int(), 1.5, 'the value: must be a whole number'],
    [z.boolean(), 'yes', 'the value: must be true or false'],
    [z.array(z.string()), 'x', 'the value: must be a list'],
    [z.object({}), 'x', 'the value: must be a group of keys with values'],
    [z.record(z.string(), z.string()), 7, 'the value: must be a group of keys with values'],
    [z.null(), 7, 'the value: must be of another kind'],
    [z.literal('one'), 'two', 'the value: must be "one"'],
    [z.enum(['one', 'two', 'three']), 'four', 'the value: must be "one", "two" or "three"'],
    [z.string().min(1), '', 'the value: must not be empty'],
    [z.string().min(2), 'x', 'the value: must have at least 2 characters'],
    [z.string().max(1), 'xx', 'the value: must have at most 1 character'],
    [z.array(z.string()).min(1), [], 'the value: must have at least 1 entry'],
    [z.array(z.string()).max(2), ['a', 'b', 'c'], 'the value: must have at most 2 entries'],
    [z.number().min(1), 0, 'the value: must be at least 1'],
    [z.number().max(5), 6, 'the value: must be at most 5'],
    [z.string().regex(/^a$/), 'b', 'the value: has the wrong format'],
    [z.string().regex(/^a$/, 'must be the letter a'), 'b', 'the value: must be the letter a'],
    [z.uuid(), 'x', 'the value: has the wrong format'],
    [z.base64(), '?', 'the value: has the wrong format'],
    [z.strictObject({}), { one: 1 }, 'the value: unknown key "one"'],
    [z.strictObject({}), { one: 1, two: 2 }, 'the value: unknown keys "one", "two"'],
    [z.record(z.string().max(1), z.string()), { long: 'x' }, 'long: has a key that is not allowed'],
    [z.union([z.string(), z.number()]), true, 'the value: is not valid'],
    [z.string().refine(() => false), 'x', 'the value: is not valid'],
    [z.object({ a: z.array(z.object({ b: z.string() })) }), { a: [{ b: 1 }] }, 'a[0].b: must be text'],
  ])('says in its own words what is wrong: %#', (schema, raw, text) => {
    expect(textOf(schema as z.ZodType, raw)).toBe(text);
  });

  it('escapes keys and keeps reasons short', () => {
    const text = textOf(
      z.strictObject({}),
      Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`\x1b[2J${i}`, i])),
    );
    expect(text).not.toContain('\x1b');
    expect(text.length).toBeLessThan(400);
  });

  it("prefers a parser's failure to every other reason", () => {
    const failure = new Failure('invalid-size', { what: 'size "x"', why: 'not a size', next: 'use 4GiB' });
    const schema = z.strictObject({
      name: z.string(),
      size: parsedText(() => {
        throw failure;
      }),
    });
    expect(check(schema, { size: 'x' }).misfit).toMatchObject({ path: 'size', failure });
  });
});
