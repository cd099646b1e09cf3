import { expect, test } from 'vitest';
import { surveyAll, type Step } from '../../../src/install/step/step.ts';

const step = (changes: readonly string[], conceals?: boolean): Step => ({
  survey: () => Promise.resolve(changes),
  ...(conceals === undefined ? {} : { conceals: () => Promise.resolve(conceals) }),
  apply: () => expect.fail('a survey changes nothing'),
});

test('a survey has the changes of all steps', async () => {
  expect(await surveyAll([step(['one', 'two'], false), step([]), step(['three'])])).toEqual(['one', 'two', 'three']);
});

test('a survey does not guess what only a data disk can tell', async () => {
  const rest: Step = { ...step([]), survey: () => expect.fail('it looks at this machine') };
  expect(await surveyAll([step(['take it over'], true), rest])).toEqual([
    'take it over',
    expect.stringMatching(/^Then install what this machine lacks/),
  ]);
});
