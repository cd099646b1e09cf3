import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { checkSettings, readSettings } from '../../../src/settings/settings.ts';
import { temporaryFolder } from '../../support/server.ts';
import { failing } from '../domain/failing.ts';

describe('settings of the SSH server', () => {
  test.each([
    [{ pendingLogins: { start: 50, full: 40 } }, /ssh\.pendingLogins: start is greater than full/],
    [{ pendingLogins: { start: 500 } }, /start is greater than full/],
    [{ pendingLogins: { ratePercent: 101 } }, /ratePercent/],
    [{ penalties: { minMs: 20_000, maxMs: 10_000 } }, /ssh\.penalties: minMs is greater than maxMs/],
    [{ penalties: { exempt: ['localhost'] } }, /an address or a network/],
    [{ penalties: { overflow: 'open' } }, /overflow/],
    [{ idleMs: -1 }, /idleMs/],
    [{ idle: 5 }, /idle/],
  ])('are refused if they are invalid or contradictory: %j', (ssh, why) => {
    expect(failing(() => checkSettings({ ssh }, 'test'))).toMatchObject({
      code: 'settings',
      why: expect.stringMatching(why) as string,
    });
  });

  test('have the documented defaults', () => {
    expect(checkSettings({}, 'test').ssh).toMatchObject({
      pendingLogins: { start: 100, ratePercent: 30, full: 300, perSource: 30 },
      penalties: {
        failedLoginMs: 5000,
        noLoginMs: 1000,
        lateMs: 10_000,
        minMs: 15_000,
        maxMs: 600_000,
        maxSources: 65_536,
        overflow: 'permissive',
        exempt: [],
      },
      unusedMs: 900_000,
      maxSessionMs: 0,
    });
    expect(
      checkSettings({ ssh: { pendingLogins: { start: 40, full: 40 }, idleMs: 0 } }, 'test').ssh.pendingLogins,
    ).toMatchObject({ start: 40, full: 40, perSource: 30 });
  });
});

describe('metrics.listen', () => {
  it.each(['127.0.0.1:9187', '127.8.0.1:0', '[::1]:9187', '[0:0:0:0:0:0:0:1]:9187', '[::ffff:127.0.0.1]:9187'])(
    'takes the loopback address %s',
    (listen) => {
      expect(checkSettings({ metrics: { listen } }, 'test').metrics.listen).toBeDefined();
    },
  );

  it.each(['192.0.2.1:9187', ':9187', '[::]:9187', '[::ffff:192.0.2.1]:9187'])(
    'refuses %s, unless metrics.anyAddress is set',
    (listen) => {
      expect(failing(() => checkSettings({ metrics: { listen } }, 'test'))).toMatchObject({
        code: 'settings',
        why: 'metrics.listen: must be a loopback address unless metrics.anyAddress is set',
      });
      expect(checkSettings({ metrics: { listen, anyAddress: true } }, 'test').metrics.listen).toBeDefined();
    },
  );
});

describe('a configuration file', () => {
  it.each([
    ['defaults: {cpu: many}', 'defaults.cpu: must be a number', 'see docs/configuration.md for every key'],
    ['defaults: {cpu: 0}', 'defaults.cpu: must be at least 1', 'see docs/configuration.md for every key'],
    ['defaults: {cpus: 4}', 'defaults: unknown key "cpus"', 'see docs/configuration.md for every key'],
    ['host: real', 'host: must be "auto", "incus" or "simulated"', 'see docs/configuration.md for every key'],
    ['jump: 7', 'jump: must be a group of keys with values', 'see docs/configuration.md for every key'],
    ['7', 'the document: must be a group of keys with values', 'see docs/configuration.md for every key'],
    ['a: b: c', 'it is not valid YAML: line 1, column 4', 'correct it there; docs/configuration.md has an example'],
  ])('that is wrong is refused with the place, the reason and a next step: %s', async (text, why, next) => {
    const path = join(await temporaryFolder(), 'containarium.yaml');
    await writeFile(path, text);
    await expect(readSettings(path, true)).rejects.toMatchObject({ code: 'settings', why, next });
  });

  it('that is refused by a parser is refused with the next step of that parser', () => {
    const failure = failing(() => checkSettings({ defaults: { memory: 'much' } }, 'test'));
    expect(failure.why).toMatch(/^defaults\.memory: size "much": /);
    expect(failure.next).toMatch(/4GiB|GiB/);
  });

  it('that was named and does not exist is missed in plain words', async () => {
    await expect(readSettings(join(await temporaryFolder(), 'none.yaml'), true)).rejects.toMatchObject({
      why: 'there is no such file',
    });
  });
});

describe('a setting with a unit', () => {
  it.each([
    [{ trash: { keep: 7 } }, 'trash.keep: must be a duration with a unit, such as 30d or 12h'],
    [{ defaults: { memory: 4 } }, 'defaults.memory: must be a size with a unit, such as 4GiB'],
  ])('%j without one is refused with the kind of value that it must be', (settings, why) => {
    expect(failing(() => checkSettings(settings, 'test'))).toMatchObject({ code: 'settings', why });
  });
});
