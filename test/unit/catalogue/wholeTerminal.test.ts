import { expect, it } from 'vitest';
import { takesWholeTerminal } from '../../../src/catalogue/wholeTerminal.ts';

it.each([
  ['list --watch', true],
  ['ls -w', true],
  ['list -wl team=blue', true],
  ['list --state running --watch', true],
  ['shell alice', true],
  ['list', false],
  ['list --label team=a-w', false],
  ['list --label -w', false],
  ['list --label --watch', false],
  ['list -l -w', false],
  ['list --watch --help', false],
  ['shell --help', false],
  ['create --watch', false],
])('%s takes the whole terminal: %s', (line, whole) => {
  expect(takesWholeTerminal(line)).toBe(whole);
});
