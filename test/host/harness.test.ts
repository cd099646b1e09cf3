/** The harness itself: what it starts works, and it leaves nothing behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, glob, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, describe, expect, it } from 'vitest';
import { repository, temporaryFolder } from '../support/server.ts';
import { addressOf, ensureBaseImage, ensurePackages, startIncus, waitUntil } from './harness/index.ts';
import type { RunningIncus } from './harness/index.ts';
import { remains } from './harness/remains.ts';

const reason = await ensurePackages();
if (reason !== undefined) console.warn(`skipped: ${reason}`);

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.info(`${what}: ${((performance.now() - start) / 1000).toFixed(2)} s`);
  return result;
}

describe.skipIf(reason !== undefined)('the throwaway Incus', { timeout: 5 * 60_000 }, () => {
  let incus: RunningIncus | undefined;
  afterAll(async () => incus?.stop(), 120_000);

  it('starts, runs a container that gets an address and a name, and leaves nothing behind', async () => {
    const image = await timed('packages and base image', () => ensureBaseImage());
    console.info(image.built ? 'the base image was built' : 'the base image was cached');
    const running = await timed('start, with the image imported', () => startIncus({ name: 'self' }));
    incus = running;
    await timed('launch', () =>
      running.incus(['launch', '--quiet', running.image, 'self-check', '-d', 'root,size=2GiB']),
    );
    const address = await timed('address', () => addressOf(running, 'self-check'));
    expect(address.split('.').slice(0, 3)).toEqual(running.gateway.split('.').slice(0, 3));
    expect(address).not.toBe(running.gateway);
    expect((await running.incus(['exec', 'self-check', '--', 'hostname'])).trim()).toBe('self-check');
    // Their presence now gives meaning to their absence below.
    expect((await running.remains()).map((line) => line.split(' ')[0])).toEqual(
      expect.arrayContaining(['process', 'mount', 'bridge', 'loop', 'firewall', 'folder']),
    );
    await timed('stop', () => running.stop());
    expect(await running.remains()).toEqual([]);
  });

  it('is removed when its test is killed', async () => {
    const script = `
      import { startIncus } from '${new URL('harness/index.ts', import.meta.url).href}';
      const incus = await startIncus({ name: 'killed' });
      await incus.incus(['launch', '--quiet', incus.image, 'orphan']);
      console.log(JSON.stringify({ dir: incus.dir, id: incus.bridge }));
      setInterval(() => {}, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit').then(([code]) =>
      Promise.reject(new Error(`the test's test ended with exit code ${code}`)),
    );
    exited.catch(() => undefined);
    const [line] = (await Promise.race([once(child.stdout, 'data'), exited])) as [Buffer];
    const { dir, id } = JSON.parse(line.toString()) as { dir: string; id: string };
    expect(await remains(dir, id)).not.toEqual([]);
    child.kill('SIGKILL');
    await exited.catch(() => undefined);
    await timed('removal after SIGKILL', () =>
      waitUntil(async () => (await remains(dir, id)).length === 0, 60_000, 250),
    );
    expect(await remains(dir, id)).toEqual([]);
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(dir);
  });

  it('removes groups and accounts of a run whose folder was removed by hand', async () => {
    // A copy of the user database, without what other test files have in the real one and remove from it. The user ids
    // are not theirs either: processes of an account that is removed are killed.
    const folder = await temporaryFolder();
    await cp('/etc', folder, { recursive: true });
    for (const name of ['passwd', 'shadow', 'group', 'gshadow', 'subuid', 'subgid'])
      await writeFile(join(folder, name), (await readFile(join('/etc', name), 'utf8')).replace(/^cxt.*\n/gm, ''));
    const script = `
      import { execa } from 'execa';
      import { removeOrphans } from '${new URL('harness/accounts.ts', import.meta.url).href}';
      let uid = 64001;
      const useradd = (name, group) =>
        execa('useradd', ['--no-create-home', '--uid', String(uid++), '--gid', group, name]);
      for (const group of ['cxt01234567', 'cxt89abcdef', 'cxtfedcba98']) {
        await execa('groupadd', [group]);
        await useradd('cxt-of-' + group, group);
      }
      await execa('groupdel', ['--force', 'cxt89abcdef']);
      await useradd('theirs', 'cxtfedcba98');
      console.log(JSON.stringify(await removeOrphans(async () => ['cxtfedcba98'])));
    `;
    const { stdout } = await execa(
      'unshare',
      [
        ...['--mount', 'sh', '-c', 'mount --bind "$1" /etc && exec "$2" --input-type=module --eval "$3"', 'sh'],
        ...[folder, process.execPath, script],
      ],
      { cwd: repository },
    );
    expect(JSON.parse(stdout)).toEqual(['cxt01234567', 'cxt-of-cxt89abcdef']);
    const left = await readFile(join(folder, 'passwd'), 'utf8');
    expect(left.match(/^(?:cxt-|theirs)[^:]*/gm)).toEqual(['cxt-of-cxtfedcba98', 'theirs']);
    expect(await readFile(join(folder, 'group'), 'utf8')).not.toContain('cxt01234567');
  });
});

describe('the users of the tests on a real Incus', () => {
  it('are those of one test file: files run beside each other on one user database', async () => {
    const folder = join(repository, 'test', 'host');
    const filesOf = new Map<string, Set<string>>();
    for await (const path of glob('**/*.ts', { cwd: folder })) {
      // The parts of tenants.test.ts have a folder.
      const file = path.split(/[./]/)[0] ?? path;
      for (const [user] of (await readFile(join(folder, path), 'utf8')).matchAll(/\bcxt-[a-z]+\b/g))
        filesOf.set(user, (filesOf.get(user) ?? new Set()).add(file));
    }
    expect(filesOf.size).toBeGreaterThan(20);
    expect([...filesOf].filter(([, files]) => files.size > 1)).toEqual([]);
  });
});
