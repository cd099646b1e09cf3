import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileSet } from '../../../../src/service/certificates/fileSet.ts';

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'containarium-files-')), 'certs');
});
afterEach(() => rm(join(folder, '..'), { recursive: true }));

const contents = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    await Promise.all((await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name), 'utf8')])),
  ) as Record<string, string>;

const before = { 'ca.crt': 'old ca', 'server.crt': 'old', 'server.key': 'old key' };
const after = { 'ca.crt': 'new ca', 'server.crt': 'new', 'server.key': 'new key' };

describe('files that are replaced together', () => {
  it('are written with modes by their names', async () => {
    const files = new FileSet(folder);
    await files.replace(before);
    await files.replace(after);
    expect(await contents()).toEqual(after);
    expect((await stat(join(folder, 'server.key'))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect([await files.read('ca.crt'), await files.read('none')]).toEqual(['new ca', undefined]);
  });

  it('are the old ones after a cut before the mark', async () => {
    await new FileSet(folder).replace(before);
    await writeFile(join(folder, 'server.key.next'), 'new key');
    await writeFile(join(folder, 'server.crt.next'), 'new');
    await new FileSet(folder).recover();
    expect(await contents()).toEqual(before);
  });

  it.each([0, 1, 2, 3])('are the new ones after a cut with the mark, when %i were in place', async (done) => {
    await new FileSet(folder).replace(before);
    for (const [i, [name, text]] of Object.entries(after).entries())
      await writeFile(join(folder, i < done ? name : `${name}.next`), text);
    await writeFile(join(folder, 'replacing'), `${Object.keys(after).join('\n')}\n`);
    await new FileSet(folder).recover();
    expect(await contents()).toEqual(after);
  });

  it('may be missing, with their folder', async () => {
    await new FileSet(folder).recover();
    expect(await new FileSet(folder).read('ca.crt')).toBeUndefined();
  });
});
