/** The fields of a form take what the command line takes: one quoting rule. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allVerbs, verbNamed } from '../../../../src/catalogue/catalogue.ts';
import { fieldsOf, fieldText, judge, rawValue, type Field } from '../../../../src/shell/forms/fields.ts';

const create = verbNamed('create');
const labels = fieldsOf(create, 'manage').find(({ name }) => name === 'labels') as Field;

describe('a field for labels', () => {
  it.each([
    ['"note=two words"', ['note=two words']],
    ['"note=a, k=v"', ['note=a, k=v']],
    ['note=a,b', ['note=a,b']],
    ["team=blue 'note=two words'", ['team=blue', 'note=two words']],
    ['"cmd=${HOME}"', ['cmd=${HOME}']],
  ])('takes %s as the command line does', (text, values) => {
    expect(rawValue(labels, text)).toEqual(values);
    expect(judge(create, labels, text).error).toBeUndefined();
  });

  it('says which values it has read', () => {
    expect(judge(create, labels, 'note=a, k=v').about).toBe('2 values: "note=a,", "k=v"');
  });

  it('names the word that is no label', () => {
    expect(judge(create, labels, 'note=two words').error).toMatch(/^label "words": no "="/);
  });

  it.each(['"note=a', 'note=a; k=v', 'note=${HOME}'])('refuses %s with the reason of the command line', (text) => {
    expect(judge(create, labels, text).error).toMatch(/is not closed|is shell syntax/);
  });
});

describe('the fields of every form', () => {
  const several = allVerbs.flatMap((verb) =>
    (verb.form === undefined ? [] : fieldsOf(verb, 'manage')).filter((field) => field.several),
  );

  it('return the values that the command line gave', () => {
    expect(several).not.toHaveLength(0);
    const values = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.constantFrom(...several), values, (field, given) => {
        fc.pre(!given.some((value) => value.includes('\0')));
        expect(rawValue(field, fieldText(given))).toEqual(given);
      }),
    );
  });

  it('ask for no file, which would be one of the jump host', () => {
    for (const verb of allVerbs) {
      const files = verb.parameters.flatMap((p) => (p.kind === 'option' && p.file !== undefined ? [p.name] : []));
      expect(fieldsOf(verb, 'manage').filter(({ name }) => files.includes(name))).toEqual([]);
    }
  });
});
