/** What a caller is told about an input that a verb does not take. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { verbNames, verbNamed } from '../../../src/catalogue/catalogue.ts';
import { checkInput } from '../../../src/catalogue/declaration/schema.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { NoContainer } from '../../../src/domain/values/username.ts';
import { judge, fieldsOf } from '../../../src/shell/forms/fields.ts';

const marker = 'the validator speaks';
beforeAll(() => void z.config({ localeError: () => marker }));

/** Values that most schemas refuse, and some that they take. */
const anyValue = fc.oneof(
  fc.anything(),
  fc.string(),
  fc.constantFrom<unknown>('', ' ', '-', 'alice', 'x'.repeat(70), 'x'.repeat(70_000), undefined, null, 0, [], {}),
);

function failureOf(action: () => unknown): Failure | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    return error as Failure;
  }
}

describe.each(verbNames)('%s', (name) => {
  const verb = verbNamed(name);
  const properties = Object.keys((verb.input() as z.ZodObject).shape);
  const anyInput = fc.oneof(
    fc.anything(),
    fc.record(Object.fromEntries([...properties, 'unknown'].map((property) => [property, anyValue])), {
      requiredKeys: [],
    }),
  );

  it('refuses any bad input in its own words, with a next step', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const failure = failureOf(() => checkInput(verb, input));
        if (failure === undefined) return;
        expect(failure.why).not.toContain(marker);
        expect(failure.why).not.toBe('');
        // core completes this one for its caller (src/core/calls/failureFor.ts).
        if (!(failure instanceof NoContainer)) expect(failure.next).toBeTruthy();
      }),
      { numRuns: 200 },
    );
  });

  it('judges any text in a field of its form in its own words', () => {
    for (const field of fieldsOf(verb, 'manage')) {
      fc.assert(
        fc.property(fc.oneof(fc.string(), fc.constantFrom('x'.repeat(70_000), '-', 'alice')), (text) => {
          expect(judge(verb, field, text).error ?? '').not.toContain(marker);
        }),
        { numRuns: 50 },
      );
    }
  });
});

it.each([
  ['reconcile', { apply: true, dryRun: true }, '--apply and --dry-run cannot be combined'],
  ['resize', { user: 'alice' }, 'give at least one of --cpu, --memory, --disk-quota, --processes'],
  ['list', { nonsense: 1 }, 'unknown key "nonsense"'],
] as const)('a fault of the whole input of %s stands alone', (name, input, why) => {
  expect(failureOf(() => checkInput(verbNamed(name), input))).toMatchObject({ what: `"${name}"`, why });
});
