/** A release that is put in its place, and what of it is on the disk by then. */
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { placeRelease } from '../../../src/install/program/programFiles.ts';
import { releaseIn, type Release } from '../../../src/install/program/release.ts';

/** Called with the arguments of each sync(1). */
const synced = vi.hoisted(() => vi.fn<(args: readonly string[]) => Promise<void>>());

vi.mock(import('../../../src/prepare/programs.ts'), async (original) => {
  const programs = await original();
  return {
    ...programs,
    run: async (program, args, options) => {
      if (program === 'sync') await synced(args);
      return programs.run(program, args, options);
    },
  };
});

describe('a release that is placed', () => {
  let folder: string;
  let releases: string;
  let release: Release;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-place-'));
    releases = join(folder, 'root', 'opt', 'containarium-releases');
    const source = join(folder, 'source');
    await mkdir(source);
    await writeFile(join(source, 'package.json'), JSON.stringify({ version: '0.6.0' }));
    await execa('sh', ['-ec', 'sha256sum package.json > SHA256SUMS'], { cwd: source });
    release = await releaseIn(source);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is flushed to the disk before it has its name', async () => {
    let names: string[] | undefined;
    synced.mockImplementation(async () => void (names = await readdir(releases)));
    const name = await placeRelease(join(folder, 'root'), release);
    expect(names).toEqual([`${name}.new`]);
    expect(await readdir(releases)).toEqual([name]);
  });

  it.each(['package.json', 'SHA256SUMS'])('takes the place of its own copy with a damaged "%s"', async (file) => {
    const name = await placeRelease(join(folder, 'root'), release);
    const path = join(releases, name, file);
    const text = await readFile(path, 'utf8');
    await writeFile(path, '');
    expect(await placeRelease(join(folder, 'root'), release)).toBe(name);
    expect(await readFile(path, 'utf8')).toBe(text);
    expect(await readdir(releases)).toEqual([name]);
  });
});
