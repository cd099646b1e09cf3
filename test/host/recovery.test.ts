/** Causes the accidents of docs/recovery.md that need a real Incus, and runs the commands of the page. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { parse } from 'shell-quote';
import { describe, expect, it } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { accidents, answersOf } from '../support/recovery.ts';
import { finished, temporaryFolder, type Finished } from '../support/server.ts';
import { clientConfig, ssh } from './clients.ts';
import { ensureBaseImage } from './harness/baseImage.ts';
import { skipReason, startJumpHost, type JumpHost } from './jumpHost.ts';

describe.skipIf(skipReason !== undefined)('docs/recovery.md on a real Incus', () => {
  const run = async (host: JumpHost, line: string): Promise<Finished> => {
    // The user of the page is alice; those of a test on a shared machine begin with cxt-.
    const words = parse(line)
      .map(String)
      .map((word) => (word === 'alice' ? 'cxt-rita' : word));
    if (words[0] === 'ssh') return host.server.ssh(words.slice(4), { shared: true });
    if (words[1] === 'incus' || words[1] === 'ip') return runForBridge(host, words.slice(1));
    expect(words.slice(0, 2)).toEqual(['sudo', 'containarium']);
    return host.server.local(words.slice(2));
  };
  /** Runs a command of the page against the Incus of a test, whose bridge has another name and address. */
  const runForBridge = async ({ incus }: JumpHost, words: readonly string[]): Promise<Finished> => {
    const [program = '', ...args] = words.map((word) =>
      word.replace('incusbr0', incus.bridge).replace('10.0.3.1', incus.gateway),
    );
    const input =
      args[1] === 'recover' ? answersOf('The database of Incus is lost').replace('/var/lib/incus', incus.incusDir) : '';
    const options = { reject: false, stripFinalNewline: false, timeout: 60_000, env: incus.env } as const;
    // Where something is missing, "incus admin recover" asks again until its input has an answer.
    return finished(await execa(program, args, { ...options, input, maxBuffer: 100_000 }));
  };
  const result = async (host: JumpHost, words: readonly string[], stdin?: string): Promise<any> => {
    const { stdout, stderr, code } = await host.server.ssh([...words, '--json'], {
      shared: true,
      ...(stdin === undefined ? {} : { stdin }),
    });
    expect(code, `${words.join(' ')}: ${stderr}`).toBe(0);
    return (JSON.parse(stdout) as { result: unknown }).result;
  };
  const recover = async (host: JumpHost, title: string): Promise<void> => {
    const lines = accidents().get(title) ?? [];
    expect(lines).not.toEqual([]);
    for (const line of lines) {
      const { code, stdout, stderr } = await run(host, line);
      expect(code, `${line}\n${stdout}${stderr}`).toBe(0);
    }
  };

  it('a container that does not boot comes back from a snapshot', async () => {
    const folder = await temporaryFolder();
    const host = await startJumpHost({ name: 'recovery', packages: [] });
    try {
      await result(host, ['create', 'cxt-rita'], (await makeKey(folder, 'alice')).line);
      await result(host, ['snapshot', 'create', 'cxt-rita', 'last-good']);
      await result(host, ['stop', 'cxt-rita', '--force']);
      await host.incus.incus(['file', 'delete', 'cxt-rita-container/sbin/init']);
      expect((await host.server.ssh(['start', 'cxt-rita'], { shared: true })).code).not.toBe(0);
      await recover(host, 'A container does not boot');
      expect((await result(host, ['info', 'cxt-rita'])).container.status).toBe('running');
      expect((await result(host, ['debug', 'cxt-rita'])).broken).toBeNull();
    } finally {
      await host.stop();
    }
  });

  it('containers whose Incus has lost its database come back with all that belongs to them', async () => {
    const folder = await temporaryFolder();
    const host = await startJumpHost({ name: 'database', packages: [] });
    const users = ['cxt-rita', 'cxt-rolf'] as const;
    const { incus } = host;
    try {
      const keys = await Promise.all(users.map((user) => makeKey(folder, user)));
      for (const [i, user] of users.entries())
        await result(host, ['create', user, '--label', `team=${user}`, '--memory', '600MiB'], keys[i]?.line);
      await result(host, ['snapshot', 'create', 'cxt-rita', 'last-good']);
      await result(host, ['create', 'cxt-rose'], keys[0]?.line);
      await result(host, ['delete', 'cxt-rose', '--yes']);
      await incus.incus(['exec', 'cxt-rita-container', '--', 'sh', '-c', 'echo precious > /home/cxt-rita/file']);
      const clients = await Promise.all(
        users.map((user, i) => clientConfig(host, folder, user, keys[i] ?? expect.fail('a user without a key'))),
      );
      const infoOf = (user: string): Promise<any> =>
        result(host, ['info', user]).then(({ container }: { container: unknown }) => container);
      const before = await Promise.all(users.map(infoOf));
      const { pid } = host.server;

      await incus.restart(() => rm(join(incus.incusDir, 'database'), { recursive: true }));
      expect(await incus.incus(['list', '--format', 'csv'])).toBe('');
      const refused = await host.server.ssh(['reconcile', '--apply'], { shared: true });
      expect(refused).toMatchObject({ code: 8, stderr: expect.stringContaining('docs/recovery.md') });

      // The prepared image is built from an image server, which here is a file.
      const base = await ensureBaseImage();
      await incus.incus(['image', 'import', base.metadataPath, base.rootfsPath, '--alias', base.alias]);
      await recover(host, 'The database of Incus is lost');

      expect(host.server.pid).toBe(pid);
      const after = await Promise.all(users.map(infoOf));
      const kept = [
        'hostKeyFingerprint',
        'labels',
        'memoryLimitBytes',
        'diskQuotaBytes',
        'cpus',
        'address',
        'snapshots',
      ];
      for (const [i, user] of users.entries()) {
        for (const part of [...kept, 'keys', 'status', 'createdAt'])
          expect(after[i][part], `${part} of ${user}`).toEqual(before[i][part]);
        expect((await result(host, ['debug', user])).broken, user).toBeNull();
        expect(await ssh(clients[i] ?? '', [`${user}-dev`, 'hostname'])).toMatchObject({
          stdout: `${user}-container\n`,
          code: 0,
        });
      }
      expect((await result(host, ['reconcile'])).differences).toEqual([]);
      expect(await incus.incus(['file', 'pull', 'cxt-rita-container/home/cxt-rita/file', '-'])).toBe('precious\n');
      await result(host, ['trash', 'restore', 'cxt-rose']);
      await result(host, ['snapshot', 'restore', 'cxt-rita', 'last-good', '--yes']);
    } finally {
      await host.stop();
    }
  });

  it('a lost host is made again from its backups alone, with the same host key', async () => {
    const folder = await temporaryFolder();
    const backups = join(folder, 'backups');
    await mkdir(backups, { mode: 0o700 });
    const config = { backups: { directory: backups } };
    const key = await makeKey(folder, 'alice');
    const old = await startJumpHost({ name: 'lost', packages: [], config });
    let before: any;
    let bridge = '';
    try {
      await result(old, ['create', 'cxt-rita', '--label', 'team=red'], key.line);
      await old.incus.incus(['exec', 'cxt-rita-container', '--', 'sh', '-c', 'echo precious > /home/cxt-rita/file']);
      await result(old, ['backup', 'create', 'cxt-rita']);
      before = (await result(old, ['info', 'cxt-rita'])).container;
      bridge = old.incus.bridge;
    } finally {
      await old.stop();
    }
    const host = await startJumpHost({ name: 'new', packages: [], config });
    try {
      // Each Incus of a test has a bridge of its own name.
      expect((await run(host, 'sudo containarium backup rebuild')).stdout).toContain(`incus network create ${bridge}`);
      await host.incus.incus(['network', 'create', bridge, 'ipv4.address=none', 'ipv6.address=none']);
      await recover(host, 'The disk of the host is lost');
      await host.incus.incus(['network', 'delete', bridge]);
      const after = (await result(host, ['info', 'cxt-rita'])).container;
      for (const part of ['hostKeyFingerprint', 'labels', 'memoryLimitBytes', 'cpus', 'keys'])
        expect(after[part], part).toEqual(before[part]);
      expect((await result(host, ['debug', 'cxt-rita'])).broken).toBeNull();
      expect(await host.incus.incus(['file', 'pull', 'cxt-rita-container/home/cxt-rita/file', '-'])).toBe('precious\n');
    } finally {
      await host.stop();
    }
  });
});
