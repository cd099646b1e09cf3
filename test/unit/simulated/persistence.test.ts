import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeHostKey } from '../../../src/host/hostKey.ts';
import { SimulatedHost } from '../../../src/simulated/host.ts';
import { Clock, devices, failureOf, fixture, prepareImage, seed, temporaryFolder } from './support.ts';

describe('the state file', () => {
  test('holds the whole host, which is the same after reopening', async () => {
    const clock = new Clock();
    const folder = temporaryFolder();
    const first = fixture({ now: clock.now }, folder);
    await prepareImage(first, 'x');
    await first.incus.create('a', 'x', { config: { 'user.owner': 'alice' }, devices: devices('10.0.3.7') });
    const key = makeHostKey('a');
    await seed(first, 'a', key.privateKey);
    await first.incus.start('a');
    await first.accounts.ensureGroup('jump');
    await first.accounts.create({ name: 'alice', comment: 'mark', group: 'jump' });
    await first.host.jumpKeys.write('alice', 'keys\n');
    clock.advance(60_000);

    const facts = async ({ incus, accounts, keyscan, host }: typeof first) => ({
      instances: await incus.instancesWithState(),
      images: await incus.images(),
      space: await incus.poolSpace('default'),
      accounts: await accounts.all(),
      group: await accounts.groupId('jump'),
      hostKey: await keyscan.hostKey('10.0.3.7'),
      file: await incus.pullFile('a', '/etc/hostname'),
      keys: await host.jumpKeys.read('alice'),
    });
    const before = await facts(first);
    expect(before.hostKey).toBe(key.publicKey);
    expect(await facts(fixture({ now: clock.now }, folder))).toEqual(before);
  });

  test('is written by the first change, not by reads, and is readable only by its owner', async () => {
    const { incus, accounts, statePath } = fixture();
    await incus.instances();
    await accounts.account('root');
    await incus.start('none').catch(() => undefined);
    expect(existsSync(statePath)).toBe(false);
    await accounts.ensureGroup('jump');
    expect(statSync(statePath).mode & 0o777).toBe(0o600);
    const written = readFileSync(statePath, 'utf8');
    await accounts.ensureGroup('jump');
    await incus.instances();
    expect(readFileSync(statePath, 'utf8')).toBe(written);
  });

  test('gets its missing parent folders, and no other file beside it', async () => {
    const folder = temporaryFolder();
    const { accounts } = fixture({}, join(folder, 'var', 'lib'));
    await accounts.ensureGroup('jump');
    expect(readdirSync(join(folder, 'var', 'lib'))).toEqual(['host.json']);
  });

  test("keeps the time from going back behind the last change when the machine's clock does", async () => {
    const clock = new Clock();
    const folder = temporaryFolder();
    const { incus } = fixture({ now: clock.now }, folder);
    await incus.create('a', 'images:debian/12', { config: {}, devices: devices() });
    await incus.start('a');
    const before = await incus.state('a');
    clock.advance(-3_600_000);
    expect(await fixture({ now: clock.now }, folder).incus.state('a')).toEqual(before);
  });

  test.each([
    ['is not JSON', '{"version":1,'],
    ['has another version', '{"version":2}'],
    ['is empty', ''],
  ])('is refused and left unchanged if it %s', (_, text) => {
    const path = join(temporaryFolder(), 'host.json');
    writeFileSync(path, text);
    expect(() => SimulatedHost.open(path)).toThrow(expect.objectContaining({ code: 'settings' }));
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('drops a change that cannot be saved', async () => {
    const folder = temporaryFolder();
    const { accounts } = fixture({}, join(folder, 'sub'));
    // A file in place of the folder makes the save fail.
    writeFileSync(join(folder, 'sub'), '');
    const failure = await failureOf(accounts.ensureGroup('jump'));
    expect(failure.why).toContain('cannot be saved');
    expect(await accounts.groupId('jump')).toBeUndefined();
    rmSync(join(folder, 'sub'));
    await accounts.ensureGroup('other');
    expect(await accounts.groupId('jump')).toBeUndefined();
    expect(await accounts.groupId('other')).toBeDefined();
  });
});
