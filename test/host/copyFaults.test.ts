/**
 * Faults of snapshots and backups on a real Incus: of its programs, of its socket, over which the data of backups pass,
 * and of the folder where they are stored.
 */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { withPrograms } from '../support/programs.ts';
import { temporaryFolder, type Finished } from '../support/server.ts';
import { FaultCases, oneMode, twoModes } from './faultCases.ts';
import { FaultyPrograms } from './faultyPrograms.ts';
import { FaultySocket, type SocketFault } from './faultySocket.ts';
import { skipReason, startJumpHost, type JumpHost } from './jumpHost.ts';

const user = 'cxt-copies';
const container = `${user}-container`;
const marker = '/srv/marker';

/** What a container of this test needs no more. The time of a backup is that of its files. */
const superfluous = ['/usr/share/locale', '/usr/share/doc', '/usr/share/man', '/usr/share/zoneinfo', '/var/lib/dpkg'];

interface Snapshot {
  readonly name: string;
}

interface Listed {
  readonly name: string;
  readonly status: string;
  readonly config: Record<string, string>;
  readonly devices: Record<string, Record<string, string>>;
  readonly snapshots: readonly Snapshot[] | null;
  readonly backups: readonly { readonly name: string }[] | null;
}

describe.skipIf(skipReason !== undefined)('faults of snapshots and backups on a real Incus', () => {
  let host: JumpHost;
  let faulty: FaultyPrograms;
  let socket: FaultySocket;
  let cases: FaultCases;
  let store: string;

  beforeAll(async () => {
    const folder = await temporaryFolder();
    store = join(folder, 'store');
    faulty = await FaultyPrograms.make(join(folder, 'bin'));
    const socketPath = join(folder, 'incus.socket');
    // Limits short enough to wait for, long enough for a busy machine.
    host = await startJumpHost({
      name: 'copies',
      packages: [],
      timeouts: { changeMs: 12_000, copyMs: 60_000, readyMs: 60_000, shutdownMs: 10_000 },
      config: { backups: { directory: store } },
      within: withPrograms(faulty.folder),
      env: { INCUS_SOCKET: socketPath },
      beforeServer: async ({ incusDir }) => {
        await mkdir(store, { mode: 0o700 });
        socket = await FaultySocket.listen(socketPath, join(incusDir, 'unix.socket'));
      },
    });
    cases = new FaultCases(host, faulty, state);
    await cases.must(['create', user], (await makeKey(folder, 'copies')).line);
    await inside(`rm -rf ${superfluous.join(' ')}; echo old > ${marker}`);
    await cases.must(['snapshot', 'create', user, 'old']);
  }, 900_000);
  afterAll(async () => {
    console.info(`real fault cases of copies: ${cases.count}`);
    socket.close();
    await host.stop();
    expect(await host.incus.remains()).toEqual([]);
  });

  const inside = (command: string): Promise<string> => host.incus.incus(['exec', container, '--', 'sh', '-c', command]);
  const write = async (text: string): Promise<void> => {
    await inside(`echo ${text} > ${marker}`);
  };
  const read = (): Promise<string> => host.incus.incus(['file', 'pull', `${container}${marker}`, '-']);
  const instances = async (): Promise<Listed[]> =>
    JSON.parse(await host.incus.incus(['query', '/1.0/instances?recursion=2'])) as Listed[];

  /** Returns the names of the backups, with what is stored of each. */
  const stored = async (): Promise<string[]> =>
    (await readdir(store, { recursive: true })).filter((path) => path.split('/').length === 3).sort();
  const ids = async (): Promise<string[]> =>
    (await stored()).flatMap((path) => (path.endsWith('/manifest.json') ? [path.split('/')[1] ?? ''] : []));

  /** Returns all instances, which are the container, its generations and what an operation left, and all backups. */
  const state = async (): Promise<unknown> => ({
    instances: (await instances()).map(({ name, status, config, devices, snapshots, backups }) => ({
      name,
      status,
      config: Object.fromEntries(
        Object.entries(config).filter(([field]) =>
          /^(user\.containarium\.(owner|state|keys|label|replaced)|limits|boot|security)/.test(field),
        ),
      ),
      devices,
      snapshots: (snapshots ?? []).map((one) => one.name),
      backups: (backups ?? []).map((one) => one.name),
    })),
    marker: await read(),
    stored: await stored(),
  });

  /** Takes back what a restore has left: the files of before are in a snapshot, on an instance of their own. */
  const resetRestore = async (): Promise<void> => {
    await write('new');
    for (const { name, snapshots } of await instances())
      for (const snapshot of snapshots ?? [])
        if (snapshot.name.startsWith('before-')) await host.incus.incus(['snapshot', 'delete', name, snapshot.name]);
    await cases.must(['reconcile', '--apply']);
  };
  const isOld = async (): Promise<void> => expect(await read()).toBe('old\n');
  const backup = async (): Promise<string> => {
    const before = await ids();
    await cases.must(['backup', 'create', user]);
    return (await ids()).find((id) => !before.includes(id)) ?? expect.fail('no backup was made');
  };
  const forget = async (id: string): Promise<void> => cases.must(['backup', 'delete', user, id, '--yes']);

  it('snapshot create, delete and restore are fully done or fully undone', { timeout: 600_000 }, async () => {
    const names = async (): Promise<string[]> =>
      (await instances()).flatMap(({ snapshots }) => (snapshots ?? []).map(({ name }) => name)).sort();
    const create = ['snapshot', 'create', user, 'made'];
    const remove = ['snapshot', 'delete', user, 'made', '--yes'];
    await cases.everyFault({
      words: create,
      reset: () => cases.must(remove),
      changed: async () => expect(await names()).toEqual(['made', 'old']),
    });
    await cases.must(create);
    await cases.everyFault({
      words: remove,
      reset: () => cases.must(create),
      changed: async () => expect(await names()).toEqual(['old']),
    });
    await cases.must(remove);
    await write('new');
    await cases.everyFault({
      words: ['snapshot', 'restore', user, 'old', '--yes'],
      reset: resetRestore,
      changed: isOld,
      modesOf: twoModes,
    });
  });

  it('backup create, verify and restore are fully done or fully undone', { timeout: 900_000 }, async () => {
    await write('old');
    const kept = await backup();
    await write('new');
    await cases.everyFault({
      words: ['backup', 'create', user],
      reset: async () => {
        for (const id of await ids()) if (id !== kept) await forget(id);
      },
      changed: async () => expect(await ids()).toHaveLength(2),
      modesOf: twoModes,
    });
    const verification = join(store, container, kept, 'verified.json');
    await cases.everyFault({
      words: ['backup', 'verify', user, kept],
      reset: () => rm(verification),
      changed: async () => expect(await stored()).toContain(`${container}/${kept}/verified.json`),
      modesOf: oneMode,
    });
    await cases.everyFault({
      words: ['backup', 'restore', user, kept, '--yes'],
      reset: resetRestore,
      changed: isOld,
      modesOf: oneMode,
    });
    await forget(kept);
  });

  it(
    'a backup is made, verified, restored and deleted wholly or not at all if a stream or the store fails',
    {
      timeout: 600_000,
    },
    async () => {
      await write('old');
      const kept = await backup();
      await write('new');
      const create = ['backup', 'create', user];
      const restore = ['backup', 'restore', user, kept, '--yes'];
      const verify = ['backup', 'verify', user, kept];
      const reading = /^GET \/1\.0\/instances\/[^/]+\/backups\/[^/]+\/export/;
      const importing = /^POST \/1\.0\/instances /;
      const cut: SocketFault['act'] = (end) => end();
      const kill = (): void => void process.kill(host.server.pid, 'SIGKILL');
      const withSocket =
        (fault: SocketFault) =>
        async (act: () => Promise<Finished>): Promise<Finished> => {
          socket.arm(fault);
          const answer = await act();
          expect(socket.disarm(), String(fault.on)).toBe(true);
          return answer;
        };
      const away = `${store}.away`;
      const withoutStore = async (act: () => Promise<Finished>): Promise<Finished> => {
        await rename(store, away);
        return act().finally(() => rename(away, store));
      };

      const inTheMiddle = 4 * 1024 ** 2;
      for (const [words, on, from] of [
        [create, reading, 'incus'],
        [verify, importing, 'core'],
        [restore, importing, 'core'],
      ] as const) {
        await cases.fault(
          'a stream that ends early',
          words,
          withSocket({ on, from, afterBytes: inTheMiddle, act: cut }),
        );
        const killed = withSocket({ on, from, afterBytes: inTheMiddle, act: kill });
        await cases.fault('core killed while a stream passes', words, killed, true);
      }
      await cases.fault('no answer', create, withSocket({ on: reading, from: 'core', afterBytes: 1, act: cut }));
      // Incus has begun to unpack when it answers, and goes on.
      await cases.fault(
        'a lost answer',
        restore,
        withSocket({ on: importing, from: 'incus', afterBytes: 1, act: cut }),
      );

      for (const words of [create, verify, restore, ['backup', 'delete', user, kept, '--yes']])
        await cases.fault('no store', words, withoutStore);
      const before = await ids();
      await cases.fault('a store that disappears', create, async (act) => {
        const vanish = (): Promise<void> => rename(store, away);
        const answer = await withSocket({ on: reading, from: 'incus', afterBytes: inTheMiddle, act: vanish })(act);
        // What was begun there is no backup, and is swept when it is old.
        for (const id of await readdir(join(away, container)))
          if (!before.includes(id)) await rm(join(away, container, id), { recursive: true });
        await rename(away, store);
        return answer;
      });
    },
  );
});
