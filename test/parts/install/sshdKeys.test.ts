/** The host keys of sshd that a data disk keeps, in real folders. */
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepSshdKeys } from '../../../src/install/dataDisk/sshdKeys.ts';

describe('host keys of sshd on a data disk', () => {
  let folder: string;
  let keptFolder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-sshd-keys-'));
    keptFolder = join(folder, 'disk', 'sshd-host-keys');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const ed25519 = 'ssh_host_ed25519_key';
  const rsa = 'ssh_host_rsa_key';

  /** Runs the installer on a machine whose sshd has these keys. */
  const keepOn = async (machine: string, keys: Readonly<Record<string, string>> = {}) => {
    const sshFolder = join(folder, machine);
    await mkdir(sshFolder, { recursive: true });
    for (const [name, text] of Object.entries(keys)) await writeFile(join(sshFolder, name), text);
    let reloads = 0;
    const reload = (): Promise<void> => {
      reloads++;
      return Promise.resolve();
    };
    await keepSshdKeys(() => undefined, { sshFolder, keptFolder, machine: () => Promise.resolve(machine), reload });
    return { reloads, keys: await contentOf(sshFolder) };
  };
  const contentOf = async (path: string): Promise<Record<string, string>> =>
    Object.fromEntries(
      await Promise.all((await readdir(path)).map(async (name) => [name, await readFile(join(path, name), 'utf8')])),
    ) as Record<string, string>;

  it('come back on a new machine, and keys of other types are kept from then on', async () => {
    await keepOn('one', { [ed25519]: 'a', [`${ed25519}.pub`]: 'A' });
    const two = await keepOn('two', { [ed25519]: 'b', [rsa]: 'r' });
    expect(two).toEqual({ reloads: 1, keys: { [ed25519]: 'a', [`${ed25519}.pub`]: 'A', [rsa]: 'r' } });
    expect(await keepOn('three', { [rsa]: 'other' })).toMatchObject({ keys: { [ed25519]: 'a', [rsa]: 'r' } });
    expect((await stat(keptFolder)).mode & 0o777).toBe(0o700);
  });

  it('are those that an admin has made on the same machine', async () => {
    await keepOn('one', { [ed25519]: 'stolen' });
    expect(await keepOn('one', { [ed25519]: 'new' })).toEqual({ reloads: 0, keys: { [ed25519]: 'new' } });
    expect(await keepOn('two', { [ed25519]: 'b' })).toMatchObject({ keys: { [ed25519]: 'new' } });
  });

  it('come back on the same machine if it has lost them', async () => {
    await keepOn('one', { [ed25519]: 'a' });
    await rm(join(folder, 'one'), { recursive: true });
    expect(await keepOn('one')).toEqual({ reloads: 1, keys: { [ed25519]: 'a' } });
  });

  it('are never half a set, wherever it was cut', async () => {
    await keepOn('one', { [ed25519]: 'a', [rsa]: 'r' });
    // Cut while a set was written, and between the two renames.
    await mkdir(`${keptFolder}.new`);
    await writeFile(join(`${keptFolder}.new`, ed25519), '');
    await rename(keptFolder, `${keptFolder}.before`);
    expect(await keepOn('two', { [ed25519]: 'b' })).toMatchObject({ keys: { [ed25519]: 'a', [rsa]: 'r' } });
    expect(await readdir(join(folder, 'disk'))).toEqual(['sshd-host-keys']);
  });

  it('are stored again if the first time was cut', async () => {
    await mkdir(`${keptFolder}.new`, { recursive: true });
    await writeFile(join(`${keptFolder}.new`, ed25519), 'torn');
    expect(await keepOn('one', { [ed25519]: 'a' })).toMatchObject({ keys: { [ed25519]: 'a' } });
    expect(await contentOf(keptFolder)).toEqual({ [ed25519]: 'a', machine: 'one' });
  });
});
