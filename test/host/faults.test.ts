/**
 * Faults on a real Incus: every changing command of create, delete, resize and key changes is made to fail, to hang,
 * and to be the last thing before core is killed. Afterwards, restart included, the host is wholly changed or wholly as
 * before. The simulated host is put through many more cases (test/faults); here it shows that the undo holds against
 * the real programs.
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

  /** Everything that this system derives or keeps about the user, without what differs from one making to the next. */
  const state = async (): Promise<unknown> => {
    const instances = JSON.parse(await host.incus.incus(['list', '--format', 'json'])) as {
      name: string;
      status: string;
      config: Record<string, string>;
      devices: Record<string, Record<string, string>>;
    }[];
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

  /** Key records carry when they were added: the same key added twice is the same key. */
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
    // A fault that was not met proves nothing.
    expect(met).toBe(true);
    const where = `${words.join(' ')}: command ${at} ${mode} → ${answer.code} ${answer.stderr}`;
    cases++;

    const after = comparable(await state());
    const reconciled = await manage(['reconcile', '--json']);
    expect(JSON.parse(reconciled.stdout), where).toMatchObject({ ok: true, result: { differences: [] } });
    expect((await manage(['audit', 'verify'])).code, where).toBe(0);
    const isAsBefore = JSON.stringify(after) === JSON.stringify(before);
    // Changed although it says it failed is only right where the answer was lost.
    if (!mode.startsWith('kill')) expect(isAsBefore, `${where}\n${JSON.stringify(after)}`).toBe(answer.code !== 0);
    return isAsBefore;
  };

  /**
   * Counts the changing commands of a verb, then breaks each of them in each way. `reset` makes the world as it was
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
        // A hang costs its whole time limit: one in each verb, the last, is enough here; test/faults hangs everywhere.
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

  it('create', { timeout: 900_000 }, async () => {
    const reset = async (): Promise<void> => expect((await manage(['delete', user, '--yes'])).code).toBe(0);
    const changed = async (): Promise<void> =>
      expect(await state()).toMatchObject({ instances: [{ status: 'Running' }], account: { 0: user } });
    // The first create on a host makes the group too, which no later one does: it is not among those that are counted.
    await create();
    await reset();
    await everyFault(['create', user], key.line, reset, changed);
  });

  it('resize, keys and delete', { timeout: 900_000 }, async () => {
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
    await everyFault(['delete', user, '--yes'], undefined, create, async () =>
      expect(await state()).toEqual({ instances: [], account: [''], jumpKeys: null, containerKeys: null }),
    );
    await manage(['delete', user, '--yes']);
  });
});
