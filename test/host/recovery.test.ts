/** Causes the accidents of docs/recovery.md that need a real Incus, and runs the commands of the page. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'shell-quote';
import { describe, expect, it } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { accidents } from '../support/recovery.ts';
import { temporaryFolder, type Finished } from '../support/server.ts';
import { skipReason, startJumpHost, type JumpHost } from './jumpHost.ts';

describe.skipIf(skipReason !== undefined)('docs/recovery.md on a real Incus', () => {
  const run = async (host: JumpHost, line: string): Promise<Finished> => {
    // The user of the page is alice; those of a test on a shared machine begin with cxt-.
    const words = parse(line)
      .map(String)
      .map((word) => (word === 'alice' ? 'cxt-alice' : word));
    if (words[0] === 'ssh') return host.server.ssh(words.slice(4), { shared: true });
    expect(words.slice(0, 2)).toEqual(['sudo', 'containarium']);
    return host.server.local(words.slice(2));
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
      await result(host, ['create', 'cxt-alice'], (await makeKey(folder, 'alice')).line);
      await result(host, ['snapshot', 'create', 'cxt-alice', 'last-good']);
      await result(host, ['stop', 'cxt-alice', '--force']);
      await host.incus.incus(['file', 'delete', 'cxt-alice-container/sbin/init']);
      expect((await host.server.ssh(['start', 'cxt-alice'], { shared: true })).code).not.toBe(0);
      await recover(host, 'A container does not boot');
      expect((await result(host, ['info', 'cxt-alice'])).container.status).toBe('running');
      expect((await result(host, ['debug', 'cxt-alice'])).broken).toBeNull();
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
    try {
      await result(old, ['create', 'cxt-alice', '--label', 'team=red'], key.line);
      await old.incus.incus(['exec', 'cxt-alice-container', '--', 'sh', '-c', 'echo precious > /home/cxt-alice/file']);
      await result(old, ['backup', 'create', 'cxt-alice']);
      before = (await result(old, ['info', 'cxt-alice'])).container;
    } finally {
      await old.stop();
    }
    const host = await startJumpHost({ name: 'new', packages: [], config });
    try {
      await recover(host, 'The disk of the host is lost');
      const after = (await result(host, ['info', 'cxt-alice'])).container;
      for (const part of ['hostKeyFingerprint', 'labels', 'memoryLimitBytes', 'cpus', 'keys'])
        expect(after[part], part).toEqual(before[part]);
      expect((await result(host, ['debug', 'cxt-alice'])).broken).toBeNull();
      expect(await host.incus.incus(['file', 'pull', 'cxt-alice-container/home/cxt-alice/file', '-'])).toBe(
        'precious\n',
      );
    } finally {
      await host.stop();
    }
  });
});
