/**
 * Faults on a real Incus. Every changing command of create, delete, resize, key changes and trash restore is made to
 * fail, to hang, and to be the last one before core is killed. Afterwards, even after a restart, the host is either
 * fully changed or as before. Tests on the simulated host cover many more cases (test/faults); these show that undo
 * works with the real programs. Those of snapshots and backups are in copyFaults.test.ts.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { withPrograms } from '../support/programs.ts';
import { temporaryFolder } from '../support/server.ts';
import { FaultCases } from './faultCases.ts';
import { FaultyPrograms } from './faultyPrograms.ts';
import { skipReason, startJumpHost, type JumpHost } from './jumpHost.ts';

const user = 'cxt-fault';

describe.skipIf(skipReason !== undefined)('faults on a real Incus', () => {
  let host: JumpHost;
  let faulty: FaultyPrograms;
  let key: TestKey;
  let other: TestKey;
  let cases: FaultCases;

  beforeAll(async () => {
    const folder = await temporaryFolder();
    faulty = await FaultyPrograms.make(join(folder, 'bin'));
    // Limits short enough to wait for, long enough for a busy machine.
    host = await startJumpHost({
      name: 'faults',
      timeouts: { changeMs: 12_000, copyMs: 60_000, readyMs: 60_000, shutdownMs: 10_000 },
      within: withPrograms(faulty.folder),
    });
    [key, other] = await Promise.all([makeKey(folder, 'first'), makeKey(folder, 'second')]);
    cases = new FaultCases(host, faulty, state);
    await cases.must(['image', 'build']);
  });
  afterAll(async () => {
    console.info(`real fault cases: ${cases.count}`);
    await host.stop();
    expect(await host.incus.remains()).toEqual([]);
  });

  /** Returns all derived and stored state of the user, without the parts that differ each time it is created. */
  const state = async (): Promise<unknown> => {
    const all = JSON.parse(await host.incus.incus(['list', '--format', 'json'])) as {
      name: string;
      status: string;
      config: Record<string, string>;
      devices: Record<string, Record<string, string>>;
    }[];
    // Not those in the trash.
    const instances = all.filter(({ name }) => name === `${user}-container`);
    const account = await execa('getent', ['passwd', user], { reject: false });
    return {
      instances: instances.map(({ name, status, config, devices }) => ({
        name,
        status,
        config: Object.fromEntries(
          Object.entries(config).filter(([field]) =>
            /^(user\.containarium\.(owner|state|keys|label)|limits|boot|security)/.test(field),
          ),
        ),
        root: devices['root'],
      })),
      account: account.stdout.split(':').filter((_, i) => i === 0 || i > 4),
      jumpKeys: await readFile(join(host.keysFolder, user), 'utf8').catch(() => null),
      containerKeys:
        instances.length === 0
          ? null
          : await host.incus
              .incus(['file', 'pull', `${user}-container/etc/ssh/authorized_keys.d/${user}`, '-'])
              .catch(() => null),
    };
  };

  const create = (): Promise<void> => cases.must(['create', user], key.line);

  it('create is fully done or fully undone after a fault in any command', { timeout: 900_000 }, async () => {
    const reset = (): Promise<void> => cases.must(['delete', user, '--purge', '--yes']);
    const changed = async (): Promise<void> =>
      expect(await state()).toMatchObject({ instances: [{ status: 'Running' }], account: { 0: user } });
    // The first create on a host also creates the group, so it is not counted.
    await create();
    await reset();
    await cases.everyFault({ words: ['create', user], stdin: key.line, reset, changed });
  });

  it(
    'resize, key changes, delete and trash restore are fully done or fully undone after a fault in any command',
    { timeout: 900_000 },
    async () => {
      await create();
      await cases.everyFault({
        words: ['resize', user, '--memory', '600MiB', '--disk', '4GiB'],
        reset: () => cases.must(['resize', user, '--memory', '512MiB', '--disk', '3GiB']),
        changed: async () =>
          expect(await state()).toMatchObject({
            instances: [{ config: { 'limits.memory': '600MiB' }, root: { size: '4GiB' } }],
          }),
      });
      await cases.everyFault({
        words: ['key', 'add', user],
        stdin: other.line,
        reset: () => cases.must(['key', 'remove', user, other.fingerprint]),
        changed: async () =>
          expect(JSON.stringify(await state()).split(other.line.split(' ')[1] ?? '')).toHaveLength(4),
      });
      const remove = ['delete', user, '--yes'];
      const restore = ['trash', 'restore', user];
      await cases.everyFault({
        words: remove,
        reset: () => cases.must(restore),
        changed: async () =>
          expect(await state()).toEqual({ instances: [], account: [''], jumpKeys: null, containerKeys: null }),
      });
      await cases.must(remove);
      await cases.everyFault({
        words: restore,
        reset: () => cases.must(remove),
        changed: async () =>
          expect(await state()).toMatchObject({ instances: [{ status: 'Running' }], account: { 0: user } }),
      });
      await cases.must(['trash', 'purge', user, '--yes']);
    },
  );
});
