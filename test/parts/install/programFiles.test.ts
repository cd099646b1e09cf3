/** Releases in folders of a tree, with real links. */
import { chmod, mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placeRelease, pruneReleases, releaseInUse, useRelease } from '../../../src/install/program/programFiles.ts';
import { systemFiles } from '../../../src/install/program/layout.ts';
import { installSystemFiles } from '../../../src/install/program/systemFiles.ts';
import { setWayBack, wayBack } from '../../../src/install/program/wayBack.ts';
import { releaseIn, verifyRelease } from '../../../src/install/program/release.ts';

describe('a release on disk', () => {
  let folder: string;
  let root: string;

  const make = async (name: string, version: string): Promise<string> => {
    const path = join(folder, name);
    await mkdir(join(path, 'dist'), { recursive: true });
    await writeFile(join(path, 'package.json'), JSON.stringify({ version }));
    await writeFile(join(path, 'dist', 'main.js'), `${name}\n`);
    await execa('sh', ['-ec', 'sha256sum package.json dist/main.js > SHA256SUMS'], { cwd: path });
    return path;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-install-'));
    root = join(folder, 'root');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is placed beside the others, and one link says which is in use', async () => {
    const [one, two] = [await releaseIn(await make('one', '0.5.0')), await releaseIn(await make('two', '0.6.0'))];
    const names = [await placeRelease(root, one), await placeRelease(root, two)];
    expect(await releaseInUse(root)).toBeUndefined();
    for (const name of names) {
      await useRelease(root, name);
      expect(await releaseInUse(root)).toBe(name);
    }
    expect(await readFile(join(root, 'opt/containarium/dist/main.js'), 'utf8')).toBe('two\n');
    expect(await readlink(join(root, 'opt/containarium'))).toBe(`containarium-releases/${names[1] ?? ''}`);
    await pruneReleases(root, [names[1]]);
    expect(await readdir(join(root, 'opt/containarium-releases'))).toEqual([names[1]]);
  });

  it('is remembered as the way back until it is forgotten or gone', async () => {
    const name = await placeRelease(root, await releaseIn(await make('one', '0.5.0')));
    expect(await wayBack(root)).toBeUndefined();
    await setWayBack(root, name);
    expect(await wayBack(root)).toBe(name);
    await rm(join(root, 'opt/containarium-releases', name), { recursive: true });
    expect(await wayBack(root)).toBeUndefined();
    await setWayBack(root, undefined);
    expect(await readdir(join(root, 'opt/containarium-releases'))).toEqual([]);
  });

  it('is readable for every account after any umask, and writable for root alone', async () => {
    const path = await make('one', '0.5.0');
    await execa('chmod', ['--recursive', 'u=rwX,go=', path]);
    const target = join(root, 'opt/containarium-releases', await placeRelease(root, await releaseIn(path)));
    const { stdout } = await execa('find', [target, '-printf', '%m %P\n']);
    expect(stdout.split('\n').sort()).toEqual([
      '644 SHA256SUMS',
      '644 dist/main.js',
      '644 package.json',
      '755 ',
      '755 dist',
    ]);
  });

  it('has modes of its own, set before another account can open a file, and not those of its source', async () => {
    const path = await make('one', '0.5.0');
    await mkdir(join(path, 'node_modules'));
    await execa('chmod', ['0777', path, join(path, 'dist')]);
    await execa('chmod', ['3777', join(path, 'node_modules')]);
    await execa('chmod', ['0666', join(path, 'package.json')]);
    await execa('chmod', ['6777', join(path, 'dist', 'main.js')]);
    const umask = process.umask(0);
    try {
      const target = join(root, 'opt/containarium-releases', await placeRelease(root, await releaseIn(path)));
      const { stdout } = await execa('find', [target, '-printf', '%m %P\n']);
      expect(stdout.split('\n').sort()).toEqual([
        '644 SHA256SUMS',
        '644 package.json',
        '755 ',
        '755 dist',
        '755 dist/main.js',
        '755 node_modules',
      ]);
    } finally {
      process.umask(umask);
    }
  });

  it('is not installed if it changed after it was verified', async () => {
    const path = await make('one', '0.5.0');
    const release = await releaseIn(path);
    await writeFile(join(path, 'dist', 'main.js'), 'evil\n');
    await expect(placeRelease(root, release)).rejects.toMatchObject({ code: 'release-damaged' });
    await execa('sh', ['-ec', 'sha256sum package.json dist/main.js > SHA256SUMS'], { cwd: path });
    await expect(placeRelease(root, release)).rejects.toMatchObject({ why: 'it changed while it was copied' });
    expect((await readdir(join(root, 'opt/containarium-releases'))).filter((name) => !name.endsWith('.new'))).toEqual(
      [],
    );
  });

  it('brings system files that root alone can write, whatever their modes in the release are', async () => {
    const path = await make('one', '0.5.0');
    await mkdir(join(path, 'systemd'));
    for (const name of Object.keys(systemFiles)) {
      await writeFile(join(path, 'systemd', name), `${name}\n`);
      await chmod(join(path, 'systemd', name), 0o666);
    }
    await installSystemFiles(root, path);
    for (const target of Object.values(systemFiles)) {
      const { mode } = await stat(join(root, target));
      expect([target, (mode & 0o7777).toString(8)]).toEqual([target, '644']);
    }
  });

  it('takes the place of a folder, as versions before 0.5.0 had one', async () => {
    await mkdir(join(root, 'opt/containarium/dist'), { recursive: true });
    const name = await placeRelease(root, await releaseIn(await make('one', '0.5.0')));
    await useRelease(root, name);
    expect(await releaseInUse(root)).toBe(name);
    expect(await readdir(join(root, 'opt/containarium-releases'))).toContain('former');
  });

  it('is copied again after a copy that was cut', async () => {
    const release = await releaseIn(await make('one', '0.5.0'));
    await mkdir(join(root, 'opt/containarium-releases', `0.5.0-${release.id.slice(0, 12)}.new`), { recursive: true });
    const name = await placeRelease(root, release);
    await verifyRelease(join(root, 'opt/containarium-releases', name));
    expect(await readdir(join(root, 'opt/containarium-releases'))).toEqual([name]);
  });

  it.each<[string, (path: string) => Promise<unknown>, RegExp]>([
    [
      'a changed file',
      (path) => writeFile(join(path, 'dist/main.js'), 'x'),
      /"dist\/main\.js" of the release: its checksum/,
    ],
    ['a file more', (path) => writeFile(join(path, 'dist/extra.js'), 'x'), /"dist\/extra\.js" .*does not have it/],
    ['a file less', (path) => rm(join(path, 'dist/main.js')), /"dist\/main\.js" .*it is missing or cannot be read/],
    [
      'a damaged list',
      (path) => writeFile(join(path, 'SHA256SUMS'), 'x\n'),
      /"SHA256SUMS" of the release: sha256sum: /,
    ],
  ])('is refused with %s', async (_, act, message) => {
    const path = await make('one', '0.5.0');
    await verifyRelease(path);
    await act(path);
    await expect(verifyRelease(path)).rejects.toThrow(expect.objectContaining({ code: 'release-damaged' }));
    await expect(verifyRelease(path)).rejects.toThrow(message);
  });

  it('has no links but those to its own programs', async () => {
    const path = await make('one', '0.5.0');
    const bin = join(path, 'node_modules', '.bin');
    await mkdir(bin, { recursive: true });
    await symlink('../../dist/main.js', join(bin, 'main'));
    await verifyRelease(path);
    await writeFile(join(folder, 'main.js'), 'one\n');
    const links: readonly (readonly [target: string, at: string])[] = [
      ['../../main.js', 'dist/main.js'],
      ['main.js', 'dist/extra.js'],
      ['../../../main.js', 'node_modules/.bin/outside'],
      [join(path, 'dist', 'main.js'), 'node_modules/.bin/absolute'],
      ['../../dist', 'node_modules/.bin/folder'],
    ];
    for (const [target, at] of links) {
      await rm(join(path, at), { force: true });
      await symlink(target, join(path, at));
      await expect(verifyRelease(path), at).rejects.toMatchObject({
        code: 'release-damaged',
        what: `file "${at}" of the release`,
        why: `it is a link to "${target}", which no release has`,
      });
      await rm(join(path, at));
      if (at === 'dist/main.js') await writeFile(join(path, at), 'one\n');
    }
  });

  it('is none without a version or without checksums', async () => {
    await expect(releaseIn(folder)).rejects.toMatchObject({ code: 'settings' });
  });
});
