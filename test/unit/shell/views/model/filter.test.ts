import { describe, expect, test } from 'vitest';
import { listOption, parseFilter } from '../../../../../src/shell/views/model/filter.ts';

const row = {
  text: 'alice-container\nrunning\n10.0.3.100\nteam=blue tier=Gold',
  labels: { team: 'blue', tier: 'Gold' },
};

test.each([
  ['', true],
  ['ali', true],
  ['ALI', true],
  ['3.100', true],
  ['running alice', true],
  ['stopped', false],
  ['alice stopped', false],
  ['!stopped', true],
  ['!alice', false],
  ['alice !blue', false],
  ['!', true],
  ['label:team=blue', true],
  ['label:team=red', false],
  ['label:tier=gold', true],
  ['label:team', true],
  ['label:te', true],
  ['label:owner', false],
  ['!label:team=red', true],
  ['!label:team', false],
  ['label:team=blue running', true],
  ['.*', false],
])('the filter %j selects the matching rows', (filter, passes) => {
  expect(parseFilter(filter)(row)).toBe(passes);
});

describe('listOption', () => {
  test('turns label filters into options of list', () => {
    expect(listOption('label:team=blue')).toBe('--label team=blue');
    expect(listOption('label:team label:tier=gold')).toBe('--label team --label tier=gold');
  });

  test('quotes a value as the command line does', () => {
    expect(listOption('label:"note=two words"')).toBe("--label 'note=two words'");
    expect(parseFilter('label:"note=two words"')({ text: '', labels: { note: 'Two words' } })).toBe(true);
  });

  test('returns nothing for a filter with text', () => {
    expect(listOption('alice')).toBeUndefined();
    expect(listOption('label:team=blue alice')).toBeUndefined();
  });
});
