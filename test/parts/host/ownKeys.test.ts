/** Which keys in ~/.ssh are a person's own: those of the first admin. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ownPublicKeys } from '../../../src/host/ownKeys.ts';
import { makeKey, type TestKey } from '../../support/keys.ts';

describe("a person's own keys", () => {
  let root: string;
  let folder: string;
  let colleague: TestKey;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'containarium-own-'));
    colleague = await makeKey(root, 'bob');
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(root, 'ssh-'));
  });
  afterAll(() => rm(root, { recursive: true }));

  const found = async (): Promise<string[]> => (await ownPublicKeys(folder)).map(({ fingerprint }) => fingerprint);

  it('are those whose private half is beside them, and not the key of a colleague', async () => {
    const own = await makeKey(folder, 'id_ed25519');
    await writeFile(join(folder, 'bob.pub'), colleague.line);
    expect(await found()).toEqual([own.fingerprint]);
  });

  it('are none if the private key beside them is that of another key', async () => {
    await makeKey(folder, 'id_ed25519');
    await writeFile(join(folder, 'id_ed25519.pub'), colleague.line);
    expect(await found()).toEqual([]);
  });

  it('are found with a passphrase, and in PEM', async () => {
    const secret = await makeKey(folder, 'id_ed25519');
    await execa('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'secret', '-f', secret.path]);
    const pem = await makeKey(folder, 'id_rsa', { type: 'rsa', bits: 3072 });
    await execa('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'secret', '-m', 'PEM', '-f', pem.path]);
    expect(await found()).toEqual([secret.fingerprint, pem.fingerprint]);
  });

  it('are none where there is no folder, no file or no key that is supported', async () => {
    expect(await ownPublicKeys(join(folder, 'missing'))).toEqual([]);
    await mkdir(join(folder, 'folder.pub'));
    await mkdir(join(folder, 'folder'));
    const { path } = await makeKey(folder, 'other');
    await writeFile(`${path}.pub`, 'ssh-dss AAAA\n');
    await execa('mkfifo', [join(folder, 'pipe.pub')]);
    await copyFile(path, join(folder, 'pipe'));
    expect(await found()).toEqual([]);
  });
});
