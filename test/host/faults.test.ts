/**
 * Faults on a real Incus. Every changing command of create, delete, resize and key changes is made to fail, to hang,
 * and to be the last one before core is killed. Afterwards, even after a restart, the host is either fully changed or
 * as before. Tests on the simulated host cover many more cases (test/faults); these show that undo works with the real
 * programs.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { temporaryFolder, type Finished } from '../support/server.ts';
import { FaultyPrograms, modes, type Mode } from './faultyPrograms.ts';
import { skipReason, startJumpHost, type JumpHost } from './jumpHost.ts';

const user = 'cxt-fault';

describe.skipIf(skipReason !== undefined)('faults on a real Incus', () => {
  let host: JumpHost;
  let faulty: FaultyPrograms;
  let key: TestKey;
  let other: TestKey;
  let cases = 0;

  beforeAll(async () => {
    const folder = await temporaryFolder();
    faulty = await FaultyPrograms.make(join(folder, 'bin'));
    // Limits short enough to wait for, long enough for a busy machine.
    host = await startJumpHost({
      name: 'faults',
      timeouts: { changeMs: 12_000, copyMs: 60_000, readyMs: 60_000 },
      env: { PATH: `${faulty.folder}:${process.env['PATH'] ?? ''}` },
    });
    [key, other] = await Promise.all([makeKey(folder, 'first'), makeKey(folder, 'second')]);
    expect((await manage(['image', 'build'])).code).toBe(0);
  });
  afterAll(async () => {
    console.info(`real fault cases: ${cases}`);
    await host.stop();
    expect(await host.incus.remains()).toEqual([]);
  });

  const manage = (words: readonly string[], stdin?: string): Promise<Finished> =>
    host.server.ssh(words, stdin === undefined ? {} : { stdin });

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

  /** Removes the times from key records, so that a key added twice compares equal. */
  const comparable = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value)
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
        .replaceAll(/10\.\d+\.\d+\.\d+:22/g, 'ADDRESS'),
    );

  const runOne = async (
    words: readonly string[],
    stdin: string | undefined,
    at: number,
    mode: Mode,
  ): Promise<boolean> => {
    const before = comparable(await state());
    await faulty.arm(host.server.pid, at, mode);
    const answer = await manage(words, stdin);
    const { met } = await faulty.disarm();
    if (mode.startsWith('kill')) await host.server.restart();
    // A fault that did not occur proves nothing.
    expect(met).toBe(true);
    const where = `${words.join(' ')}: command ${at} ${mode} → ${answer.code} ${answer.stderr}`;
    cases++;

    const after = comparable(await state());
    const reconciled = await manage(['reconcile', '--json']);
    expect(JSON.parse(reconciled.stdout), where).toMatchObject({ ok: true, result: { differences: [] } });
    expect((await manage(['audit', 'verify'])).code, where).toBe(0);
    const isAsBefore = JSON.stringify(after) === JSON.stringify(before);
    // A change despite a reported failure is correct only if the reply was lost.
    if (!mode.startsWith('kill')) expect(isAsBefore, `${where}\n${JSON.stringify(after)}`).toBe(answer.code !== 0);
    return isAsBefore;
  };

  /**
   * Counts the changing commands of a verb, then breaks each of them in each way. `reset` restores the state from
   * before the verb.
   */
  const everyFault = async (
    words: readonly string[],
    stdin: string | undefined,
    reset: () => Promise<void>,
    changed: () => Promise<void>,
  ): Promise<void> => {
    await faulty.arm(host.server.pid, 0, 'fail-before');
    expect((await manage(words, stdin)).code).toBe(0);
    const { count } = await faulty.disarm();
    expect(count).toBeGreaterThan(0);
    await changed();
    await reset();
    const start = comparable(await state());
    for (let at = 1; at <= count; at++) {
      for (const mode of modes) {
        // A hang takes its whole time limit, so only the last command of each verb hangs; test/faults covers the rest.
        if (mode === 'hang' && at !== count) continue;
        if (await runOne(words, stdin, at, mode)) {
          expect(comparable(await state())).toEqual(start);
        } else {
          await changed();
          await reset();
        }
      }
    }
  };

  const create = async (): Promise<void> => {
    const made = await manage(['create', user], key.line);
    expect(made.code, made.stderr).toBe(0);
  };

  it('create is fully done or fully undone after a fault in any command', { timeout: 900_000 }, async () => {
    const reset = async (): Promise<void> => expect((await manage(['delete', user, '--purge', '--yes'])).code).toBe(0);
    const changed = async (): Promise<void> =>
      expect(await state()).toMatchObject({ instances: [{ status: 'Running' }], account: { 0: user } });
    // The first create on a host also creates the group, so it is not counted.
    await create();
    await reset();
    await everyFault(['create', user], key.line, reset, changed);
  });

  it(
    'resize, key changes, delete and trash restore are fully done or fully undone after a fault in any command',
    { timeout: 900_000 },
    async () => {
      await create();
      await everyFault(
        ['resize', user, '--memory', '600MiB', '--disk', '4GiB'],
        undefined,
        async () => expect((await manage(['resize', user, '--memory', '512MiB', '--disk', '3GiB'])).code).toBe(0),
        async () =>
          expect(await state()).toMatchObject({
            instances: [{ config: { 'limits.memory': '600MiB' }, root: { size: '4GiB' } }],
          }),
      );
      await everyFault(
        ['key', 'add', user],
        other.line,
        async () => expect((await manage(['key', 'remove', user, other.fingerprint])).code).toBe(0),
        async () => expect(JSON.stringify(await state()).split(other.line.split(' ')[1] ?? '')).toHaveLength(4),
      );
      const succeed = async (words: readonly string[]): Promise<void> =>
        expect((await manage(words)).code, words.join(' ')).toBe(0);
      const gone = async (): Promise<void> =>
        expect(await state()).toEqual({ instances: [], account: [''], jumpKeys: null, containerKeys: null });
      const remove = ['delete', user, '--yes'];
      const restore = ['trash', 'restore', user];
      await everyFault(remove, undefined, () => succeed(restore), gone);
      await succeed(remove);
      await everyFault(
        restore,
        undefined,
        () => succeed(remove),
        async () => expect(await state()).toMatchObject({ instances: [{ status: 'Running' }], account: { 0: user } }),
      );
      await succeed(['trash', 'purge', user, '--yes']);
    },
  );
});
