/** What a caller reads after a wrong value of a parameter: each parameter of each verb gets each wrong value. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { verbNames, verbNamed, type AnyVerb } from '../../../src/catalogue/catalogue.ts';
import { checkInput } from '../../../src/catalogue/declaration/schema.ts';
import { fieldSchema, type Parameter } from '../../../src/catalogue/declaration/verb.ts';
import { parseCommandLine } from '../../../src/catalogue/parse.ts';
import { failureSentences } from '../../../src/catalogue/output/sentences.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { newKey } from '../../support/world/keys.ts';

const wrongValues = [
  '',
  ' ',
  '-',
  '0',
  '-1',
  '1.5',
  '99999999999999',
  'x y',
  'No!',
  '“4”',
  '—json',
  'x'.repeat(70_000),
];

/** Words of the validator, of JavaScript, and of nobody. */
const foreign =
  /invalid (?:input|option|type|string)|expected|too (?:big|small):|is not valid|wrong format|of another kind|undefined|null|NaN|\[object|zod|regex|pattern|property/i;

/** Reads what the caller of a verb is told about a value of one parameter; nothing if the value is taken. */
function told(verb: AnyVerb, parameter: Parameter, value: string): string | undefined {
  const taken = verb.parameters.filter(({ kind }) => kind === 'argument');
  const words = [
    ...verb.name.split(' '),
    ...(parameter.kind === 'option' ? [`--${parameter.long[0]}=${value}`] : []),
    '--',
    ...taken.map((argument) => (argument === parameter ? value : 'alice')),
  ];
  const actor =
    verb.access.manage === undefined
      ? ({ entryPoint: 'self', role: 'owner' } as const)
      : ({ entryPoint: 'local', role: 'root' } as const);
  try {
    const { input } = parseCommandLine(words, actor);
    // Only this property, so that no other one is refused before it.
    const only = { [parameter.name]: fieldSchema(verb, parameter.name) ?? z.never() };
    checkInput({ ...verb, input: () => z.strictObject(only) }, { [parameter.name]: input[parameter.name] });
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    return failureSentences((error as Failure).toData());
  }
}

const all = verbNames.flatMap((name) => {
  const verb = verbNamed(name);
  return verb.parameters
    .filter((parameter) => parameter.kind === 'argument' || parameter.value !== undefined)
    .map((parameter) => ({ name, verb, parameter, property: parameter.name }));
});

describe.each(all)('$name: a wrong $property', ({ verb, parameter, property }) => {
  it('is answered in sentences that name it as its caller typed it', () => {
    for (const value of wrongValues) {
      const text = told(verb, parameter, value);
      if (text === undefined) continue;
      expect(text).toMatch(/^Error: \S.*: \S.* \([a-z-]+\)\n(?:Next: \S.*\n)?$/);
      expect(text).not.toMatch(foreign);
      // A property of the input in two words is a name of this program.
      if (/[A-Z]/.test(property)) expect(text).not.toContain(property);
      expect(text).not.toContain(`"${verb.name}": ${property}: `);
    }
  });

  it('is refused if it is empty, as a variable is that was not set', () => {
    for (const value of ['', ' ']) expect(told(verb, parameter, value), JSON.stringify(value)).toBeDefined();
  });
});

it.each([
  ['logs alice --lines 0', '--lines must be a whole number from 1 to 999999, not "0"'],
  ['logs alice --lines 1000000', '--lines must be a whole number from 1 to 999999, not "1000000"'],
  ['audit --limit many', '--limit must be a whole number from 1 to 9999999, not "many"'],
  ['admin role carol boss', '<role> must be "viewer", "operator" or "admin", not "boss"'],
  ['audit --actor=', '--actor must not be empty'],
  ['label set alice a=1 b=1 a=2', '<labels> gives the key "a" twice'],
  [
    'audit --user bob',
    '--user and --counts require --connections; --target NAME finds what was done to a container, and --actor NAME what an admin did',
  ],
])('%s is answered with the parameter, the rule and the value', (line, why) => {
  const { verb, input } = parseCommandLine(line.split(' '), { entryPoint: 'local', role: 'root' });
  expect(() => checkInput(verb, input)).toThrow(expect.objectContaining({ what: `"${verb.name}"`, why }));
});

it('create refuses a label whose key is given twice', () => {
  const input = { user: 'alice', keys: newKey('alice@desk').line, labels: ['a=1', 'b=1'] };
  expect(checkInput(verbNamed('create'), input)).toMatchObject({ labels: [{ key: 'a' }, { key: 'b' }] });
  expect(() => checkInput(verbNamed('create'), { ...input, labels: ['a=1', 'a=2'] })).toThrow(
    expect.objectContaining({ why: '--label gives the key "a" twice' }),
  );
});
