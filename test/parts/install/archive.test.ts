/** Archives of releases that another account changes while root reads them, with the real tar(1). */
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { unpack } from '../../../src/install/program/archive.ts';
import { sha256Of } from '../../../src/install/program/release.ts';

/** Called before tar(1) is run. */
const beforeTar = vi.hoisted(() => vi.fn<() => Promise<void>>());

vi.mock(import('../../../src/prepare/programs.ts'), async (original) => {
  const programs = await original();
  return {
    ...programs,
    run: async (program, args, options) => {
      if (program === 'tar') await beforeTar();
      return programs.run(program, args, options);
    },
  };
});

describe('the archive of a release', () => {
  let folder: string;
  let releases: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-archive-'));
    releases = join(folder, 'releases');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const pack = async (text: string): Promise<string> => {
    const release = join(folder, text);
    await mkdir(release);
    await writeFile(join(release, 'package.json'), JSON.stringify({ version: '0.6.0' }));
    await writeFile(join(release, 'main.js'), text);
    await execa('sh', ['-ec', 'sha256sum package.json main.js > SHA256SUMS'], { cwd: release });
    await execa('tar', ['--create', '--gzip', '--file', `${release}.tar.gz`, '--directory', folder, text]);
    return `${release}.tar.gz`;
  };

  it('is unpacked as it was compared, even if another one takes its place in between', async () => {
    const [good, evil] = [await pack('good'), await pack('evil')];
    beforeTar.mockImplementation(() => rename(evil, good));
    const release = await unpack(good, await sha256Of(good), releases);
    expect(beforeTar).toHaveBeenCalledOnce();
    expect(await readFile(join(release.folder, 'main.js'), 'utf8')).toBe('good');
    expect((await readdir(releases)).filter((name) => name.endsWith('.tar.gz'))).toEqual([]);
  });

  it('leaves nothing when its checksum differs, or when it is missing', async () => {
    const archive = await pack('good');
    await expect(unpack(archive, '0'.repeat(64), releases)).rejects.toMatchObject({ code: 'release-damaged' });
    await expect(unpack(join(folder, 'nosuch.tar.gz'), undefined, releases)).rejects.toMatchObject({
      code: 'not-found',
      why: expect.stringMatching(/^ENOENT/),
    });
    expect(await readdir(releases)).toEqual([]);
  });
});
