/** What a start and a running server say of a disk that cannot be written. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { repository, startServer, temporaryFolder } from '../support/server.ts';

/** Runs `serve` in a mount namespace of its own, with a file system over its home. */
async function serveOn(mount: string): Promise<{ exitCode?: number | undefined; stderr: string }> {
  const home = join(await temporaryFolder(), 'home');
  await mkdir(home);
  const isRoot = process.getuid?.() === 0;
  return execa(
    'unshare',
    [
      '--mount',
      ...(isRoot ? [] : ['--map-root-user']),
      'sh',
      '-c',
      `mount -t tmpfs ${mount} tmpfs "$CONTAINARIUM_HOME" && exec "$@"`,
      'sh',
      process.execPath,
      join(repository, 'dist', 'main.js'),
      'serve',
    ],
    {
      reject: false,
      stdin: 'ignore',
      env: { CONTAINARIUM_HOME: home, CONTAINARIUM_HOST: 'simulated', CONTAINARIUM_LISTEN: '127.0.0.1:0' },
    },
  );
}

/** Returns the server as a module that gets EFBIG for a file that must not grow, as a full disk gives ENOSPC. */
async function programWithoutSignal(): Promise<string> {
  const path = join(await temporaryFolder(), 'main.mjs');
  const main = pathToFileURL(join(repository, 'dist', 'main.js')).href;
  await writeFile(path, `process.on('SIGXFSZ', () => undefined);\nawait import(${JSON.stringify(main)});\n`);
  return path;
}

describe('a start', () => {
  test('with a read-only home says so, with the way out', async () => {
    const { exitCode, stderr } = await serveOn('-o ro');
    expect(stderr).toMatch(/^Error: the home \S+: its file system is read-only \(store-unavailable\)$/m);
    expect(stderr).toMatch(/^Next: mount it for writing.* CONTAINARIUM_HOME /m);
    expect(stderr).not.toMatch(/EROFS|ENOENT|internal/);
    expect(exitCode).toBe(8);
  });

  test('on a full disk says so, with the way out', async () => {
    const { exitCode, stderr } = await serveOn('-o size=8k');
    expect(stderr).toMatch(/^Error: .*: no space is left on its file system \([a-z-]+\)$/m);
    expect(stderr).toMatch(/^Next: free some space/m);
    expect(stderr).not.toMatch(/ENOSPC|internal/);
    expect(exitCode).not.toBe(1);
  });
});

describe('a server whose journal cannot be written', () => {
  test('runs doctor without a record, says so, and refuses everything else', async () => {
    const server = await startServer({ program: await programWithoutSignal() });
    await execa('prlimit', ['--fsize=100', '--pid', String(server.pid)]);
    const doctor = await server.local(['doctor']);
    expect(doctor.stderr).toMatch(/^This call is not recorded: journal ".*": the file may not become larger$/m);
    expect(doctor.stdout).toMatch(/^CHECK +RESULT +DETAIL/m);
    for (const words of [['list'], ['stop', 'alice']]) {
      const { stderr, code } = await server.local(words);
      expect(stderr).toMatch(/\(journal-unwritable\)/);
      expect(code).toBe(8);
    }
  });
});
