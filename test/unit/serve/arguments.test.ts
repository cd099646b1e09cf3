import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../src/serve/serve.ts';
import { failing } from '../domain/failing.ts';

describe('serve', () => {
  it.each([
    ['', { real: false, simulated: false, zfs: false, config: undefined, checkSettings: false }],
    ['--real --config a.yaml', { real: true, simulated: false, zfs: false, config: 'a.yaml', checkSettings: false }],
    ['--real --zfs', { real: true, simulated: false, zfs: true, config: undefined, checkSettings: false }],
    [
      '--simulated --config=-a.yaml',
      { real: false, simulated: true, zfs: false, config: '-a.yaml', checkSettings: false },
    ],
    ['--check-settings', { real: false, simulated: false, zfs: false, config: undefined, checkSettings: true }],
  ])('takes %j', (line, expected) => {
    expect(readArguments(line.split(' ').filter((word) => word !== ''))).toEqual(expected);
  });

  it.each([
    ['--reel', 'unknown option "--reel"'],
    ['-x', 'unknown option "-x"'],
    ['--no-real', 'unknown option "--no-real"'],
    ['--\u001b[31m', 'unknown option "--\\u{1b}[31m"'],
    ['now', 'it takes no argument "now"'],
    ['-- --real', 'it takes no argument "--real"'],
    ['--real=yes', '--real takes no value'],
    ['--config', 'no file after --config'],
    ['--config=', 'no file after --config'],
    ['--config --real', 'no file after --config'],
    ['--zfs', '--zfs needs --real'],
    ['--real --simulated', '--real and --simulated exclude each other'],
  ])('refuses %j in its own words, with its usage', (line, why) => {
    expect(failing(() => readArguments(line.split(' ')))).toMatchObject({
      code: 'usage',
      what: '"serve"',
      why,
      next: 'containarium serve [--real [--zfs] | --simulated] [--config <file>] [--check-settings]',
    });
  });
});
