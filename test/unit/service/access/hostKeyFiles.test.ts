/** The server's own host keys: made once, kept safe, never replaced without a word, and rotated. */
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  listHostKeys,
  rotateHostKey,
  serverHostKeys,
  switchHostKey,
} from '../../../../src/service/access/hostKeyFiles.ts';
import { decodeHostKey, makeHostKey } from '../../../../src/host/hostKey.ts';

let folder: string;
const path = (name = 'host_ed25519'): string => join(folder, name);

beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'containarium-keys-'))));
afterEach(() => rm(folder, { recursive: true }));

async function keygen(...args: readonly string[]): Promise<string> {
  return (await execa('ssh-keygen', args)).stdout;
}

describe('the host key', () => {
  it('is made where there is none, for its owner only, and is the same ever after', async () => {
    const { current } = await serverHostKeys(folder);
    expect(current.made).toBe(true);
    expect((await stat(path())).mode & 0o777).toBe(0o600);
    expect(await keygen('-l', '-f', path())).toContain(`${current.fingerprint} containarium (ED25519)`);
    expect(await readFile(path('host_ed25519.pub'), 'utf8')).toBe(`${current.publicKey} containarium\n`);
    expect(await serverHostKeys(folder)).toEqual({ current: { ...current, made: false } });
  });

  it('may be one that ssh-keygen made', async () => {
    await keygen('-q', '-t', 'ed25519', '-N', '', '-C', 'mine', '-f', path());
    const { current } = await serverHostKeys(folder);
    expect(await keygen('-l', '-f', path())).toContain(current.fingerprint);
    expect(current.privateKey).toBe(await readFile(path(), 'utf8'));
  });

  it.each([0o640, 0o604, 0o620, 0o601])('with mode %o is refused, with what to do', async (mode) => {
    await serverHostKeys(folder);
    await chmod(path(), mode);
    await expect(serverHostKeys(folder)).rejects.toMatchObject({
      code: 'settings',
      why: expect.stringContaining('others can read it') as string,
      next: expect.stringContaining('chmod 600') as string,
    });
    await chmod(path(), 0o600);
    await serverHostKeys(folder);
  });

  it.each<[string, (text: string) => string, RegExp]>([
    ['empty', () => '', /not a private key/],
    ['cut off', (text) => text.slice(0, 200), /not a private key/],
    [
      'of another format',
      () => '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n',
      /not a private key/,
    ],
    ['changed in the middle', (text) => changed(text, 130), /does not belong|check numbers|cut short|of type/],
    ['changed in its public part', (text) => changed(text, 60), /does not belong/],
  ])('that is %s is refused and left as it is', async (_what, damage, why) => {
    await serverHostKeys(folder);
    const damaged = damage(await readFile(path(), 'utf8'));
    await writeFile(path(), damaged);
    await expect(serverHostKeys(folder)).rejects.toMatchObject({
      code: 'settings',
      why: expect.stringMatching(why) as string,
      next: expect.stringContaining('backup') as string,
    });
    expect(await readFile(path(), 'utf8')).toBe(damaged);
  });

  it('with a passphrase, or of another type, is refused', async () => {
    await keygen('-q', '-t', 'ed25519', '-N', 'secret', '-f', path());
    await expect(serverHostKeys(folder)).rejects.toMatchObject({ why: 'it has a passphrase' });
    await rm(path());
    await keygen('-q', '-t', 'ecdsa', '-N', '', '-f', path('other'));
    await writeFile(path(), await readFile(path('other')), { mode: 0o600 });
    await expect(serverHostKeys(folder)).rejects.toMatchObject({ why: 'it is not of type ssh-ed25519' });
  });

  it('that cannot be looked at is not taken for one that is not there', async () => {
    await writeFile(path('file'), '');
    // A folder that is none, and one that no system has a path for: refused to root as well.
    for (const elsewhere of [path('file'), path('x'.repeat(300))]) {
      await expect(serverHostKeys(elsewhere)).rejects.toMatchObject({
        code: 'settings',
        next: 'make it readable for the server, or restore it from a backup',
      });
      await expect(listHostKeys(elsewhere)).rejects.toMatchObject({ code: 'settings' });
    }
  });

  it('that is a link, or a folder, is refused', async () => {
    await writeFile(path('elsewhere'), makeHostKey('').privateKey, { mode: 0o600 });
    await symlink(path('elsewhere'), path());
    await expect(serverHostKeys(folder)).rejects.toMatchObject({ why: 'it is not a plain file' });
  });

  it.each(['host_ed25519.pub', 'host_ed25519.next', 'host_ed25519.previous'])(
    'that has gone while %s is there is not made anew',
    async (left) => {
      await serverHostKeys(folder);
      await rotateHostKey(folder);
      await switchHostKey(folder);
      await rotateHostKey(folder);
      for (const name of ['host_ed25519', 'host_ed25519.pub', 'host_ed25519.next', 'host_ed25519.previous'])
        if (name !== left) await rm(path(name));
      await expect(serverHostKeys(folder)).rejects.toMatchObject({
        code: 'settings',
        why: 'it has gone, but there was one',
      });
    },
  );
});

/** One character of the base64 changed for another. */
function changed(text: string, at: number): string {
  const start = text.indexOf('\n') + 1 + at;
  return `${text.slice(0, start)}${text[start] === 'A' ? 'B' : 'A'}${text.slice(start + 1)}`;
}

describe('rotation', () => {
  it('announces a next key, then puts it in the place of the present one', async () => {
    const { current } = await serverHostKeys(folder);
    const next = await rotateHostKey(folder);
    expect(next.fingerprint).not.toBe(current.fingerprint);
    expect((await stat(path('host_ed25519.next'))).mode & 0o777).toBe(0o600);
    expect(await serverHostKeys(folder)).toMatchObject({
      current: { fingerprint: current.fingerprint },
      next: { fingerprint: next.fingerprint },
    });
    expect((await listHostKeys(folder)).map(({ which, fingerprint }) => [which, fingerprint])).toEqual([
      ['current', current.fingerprint],
      ['next', next.fingerprint],
    ]);

    expect(await switchHostKey(folder)).toMatchObject({ which: 'current', fingerprint: next.fingerprint });
    expect(await serverHostKeys(folder)).toEqual({
      current: { ...decodeHostKey(await readFile(path(), 'utf8')), made: false },
    });
    expect(await keygen('-l', '-f', path())).toContain(next.fingerprint);
    expect(await readFile(path('host_ed25519.pub'), 'utf8')).toBe(`${next.publicKey} containarium\n`);
    expect(decodeHostKey(await readFile(path('host_ed25519.previous'), 'utf8')).fingerprint).toBe(current.fingerprint);
    expect((await stat(path('host_ed25519.previous'))).mode & 0o777).toBe(0o600);
  });

  it('is one at a time, and in this order', async () => {
    await expect(rotateHostKey(folder)).rejects.toMatchObject({ code: 'settings' });
    await serverHostKeys(folder);
    await expect(switchHostKey(folder)).rejects.toMatchObject({ code: 'wrong-state' });
    await rotateHostKey(folder);
    await expect(rotateHostKey(folder)).rejects.toMatchObject({ code: 'exists' });
  });

  it('refuses a next key that others can read, and one that is damaged', async () => {
    await serverHostKeys(folder);
    await rotateHostKey(folder);
    await chmod(path('host_ed25519.next'), 0o644);
    await expect(serverHostKeys(folder)).rejects.toMatchObject({
      why: expect.stringContaining('others can read it') as string,
    });
    await expect(switchHostKey(folder)).rejects.toMatchObject({
      why: expect.stringContaining('others can read it') as string,
    });
    await chmod(path('host_ed25519.next'), 0o600);
    await writeFile(path('host_ed25519.next'), 'nothing');
    await expect(serverHostKeys(folder)).rejects.toMatchObject({
      why: expect.stringContaining('not a private key') as string,
    });
  });

  it('that was cut short before its last step is taken for done: the public part follows the private one', async () => {
    await serverHostKeys(folder);
    const before = await readFile(path('host_ed25519.pub'), 'utf8');
    const next = await rotateHostKey(folder);
    await switchHostKey(folder);
    await writeFile(path('host_ed25519.pub'), before);
    expect((await serverHostKeys(folder)).current.fingerprint).toBe(next.fingerprint);
    expect(await readFile(path('host_ed25519.pub'), 'utf8')).toBe(`${next.publicKey} containarium\n`);
  });

  it('lists what goes into SSHFP records, as ssh-keygen says it (RFC 4255)', async () => {
    await serverHostKeys(folder);
    const [{ sshfp } = { sshfp: undefined }] = await listHostKeys(folder);
    const records = await keygen('-r', 'jump.example.com', '-f', path('host_ed25519.pub'));
    expect(records.split('\n')).toContain(
      `jump.example.com IN SSHFP ${sshfp?.algorithm} ${sshfp?.type} ${sshfp?.fingerprint}`,
    );
  });

  it('lists nothing where nothing is, and makes nothing', async () => {
    expect(await listHostKeys(folder)).toEqual([]);
    expect(await listHostKeys(folder)).toEqual([]);
  });
});
