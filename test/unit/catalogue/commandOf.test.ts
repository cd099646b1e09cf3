/** The command line in the message about a call that must be confirmed: it can be run as it stands. */
import { describe, expect, it } from 'vitest';
import { allVerbs, verbNamed, type AnyVerb, type VerbName } from '../../../src/catalogue/catalogue.ts';
import { commandOf } from '../../../src/catalogue/commandOf.ts';
import { commandName, parseCommandLine } from '../../../src/catalogue/parse.ts';
import { splitLine } from '../../../src/catalogue/tokens.ts';
import { requireConfirmation } from '../../../src/core/calls/safeguards.ts';
import { failing } from '../domain/failing.ts';

const admin = { entryPoint: 'manage', role: 'admin' } as const;
const backup = '20261129-120000-abcd';

/** The dangerous verbs, each with arguments and options. A new one belongs here. */
const calls: Readonly<Partial<Record<VerbName, readonly Readonly<Record<string, unknown>>[]>>> = {
  delete: [{ user: 'alice' }, { user: 'alice', purge: true, backup: true }],
  'trash purge': [{ user: 'alice' }, { user: 'alice', name: 'alice-container-20261129' }],
  'snapshot delete': [{ user: 'alice', snapshot: 'kept' }],
  'snapshot restore': [{ user: 'alice', snapshot: 'kept' }],
  'backup delete': [{ user: 'alice', backup }],
  'backup restore': [
    { user: 'alice', backup },
    { user: 'alice', backup: 'latest' },
  ],
};

describe('the next step of a call without --yes', () => {
  it('is tested for every verb that must be confirmed', () => {
    expect(allVerbs.flatMap(({ name, danger }) => (danger === 'none' ? [] : [name])).sort()).toEqual(
      Object.keys(calls).sort(),
    );
  });

  it.each(Object.entries(calls).flatMap(([name, inputs]) => inputs.map((input) => [name as VerbName, input] as const)))(
    'of %s %o is the same call with --yes',
    (name, input) => {
      const { next = '' } = failing(() => requireConfirmation(verbNamed(name), input));
      const [, command = ''] = /"(.*)"$/.exec(next) ?? [];
      expect(parseCommandLine(command.split(' '), admin)).toMatchObject({
        verb: { name },
        input: { ...input, yes: true },
      });
    },
  );

  it('has no secret that came on standard input, and the user name of a container', () => {
    const input = { user: 'alice-container', backup: 'latest', identity: 'AGE-SECRET-KEY-1' };
    expect(commandOf(verbNamed('backup restore'), input)).toBe('backup restore alice latest --identity -');
  });
});

describe('the command that a form leaves', () => {
  /** Returns the inputs of a form that sets everything: each switch is on, and in the other one off. */
  const inputsOf = (verb: AnyVerb): Record<string, unknown>[] =>
    [true, false].map((on) =>
      Object.fromEntries(
        verb.parameters.flatMap((parameter): (readonly [string, unknown])[] => {
          const { name } = parameter;
          if (name === 'yes' || name === 'confirm') return [];
          if (parameter.kind === 'argument') return [[name, parameter.rest === true ? [name, 'two words'] : name]];
          if (parameter.value === undefined) return on || parameter.negatable === true ? [[name, on]] : [];
          const text = name === verb.stdin?.into ? '-' : (parameter.choices?.[0] ?? `a "quoted" ${name}`);
          return [[name, parameter.repeatable === true ? [text, `${text}2`] : text]];
        }),
      ),
    );

  it.each(
    allVerbs
      .filter(({ form, access }) => form !== undefined && access.manage !== undefined)
      .flatMap((verb) => inputsOf(verb).map((input) => [verb.name, input, verb] as const)),
  )('of %s %o is parsed to the same input', (_, input, verb) => {
    const words = splitLine(commandOf(verb, input));
    expect(parseCommandLine(words, admin)).toMatchObject({ verb: { name: verb.name }, input });
    expect(Object.keys(parseCommandLine(words, admin).input).sort()).toEqual(Object.keys(input).sort());
  });
});

describe('the command of a failed command line', () => {
  it.each([
    ['snapshot create alice t1 --json --expires', 'snapshot create'],
    ['--json trash list', 'trash list'],
    ['rm alice', 'delete'],
    ['trash nonsense --json', 'trash'],
    ['--json', ''],
  ])('%s is %j', (line, name) => {
    expect(commandName(line.split(' '))).toBe(name);
  });
});
