import { chmod, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AdminInfo } from '../../../../src/domain/results/admins.ts';
import { knownTransport } from '../../../../src/domain/access/transport.ts';
import { poolTrouble } from '../../../../src/host/zpool.ts';
import type { Runner } from '../../../../src/host/runner.ts';
import {
  checkAdminKeys,
  checkHostKey,
  checkKeyExchange,
  checkLimits,
  checkState,
} from '../../../../src/service/checks/serverChecks.ts';
import type { ServerTools } from '../../../../src/service/checks/tools.ts';

let folder: string;
let tools: ServerTools;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-checks-'));
  tools = {
    hostKeyPath: join(folder, 'key'),
    stateFolder: folder,
    journalFolder: folder,
    admins: () => [],
    logins: () => ({ open: 1, max: 100 }),
  };
  await writeFile(tools.hostKeyPath, 'x', { mode: 0o600 });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const transport = { keyExchange: 'mlkem768x25519-sha256', hostKey: 'ssh-ed25519', cipher: 'aes256-gcm@openssh.com' };

describe('the key exchange check', () => {
  it('is ok for a post-quantum key exchange and in local mode, and a warning for any other', () => {
    expect(checkKeyExchange(transport)).toMatchObject({
      severity: 'ok',
      detail: expect.stringContaining('mlkem768x25519-sha256') as string,
    });
    expect(checkKeyExchange({ ...transport, keyExchange: 'curve25519-sha256' })).toMatchObject({
      severity: 'warning',
      next: expect.stringContaining('OpenSSH') as string,
    });
    expect(checkKeyExchange(undefined).severity).toBe('ok');
  });

  it('is a warning for "unknown" if the front names an unknown algorithm', () => {
    expect(knownTransport({ ...transport, keyExchange: 'mlkem9000' })).toEqual({
      ...transport,
      keyExchange: 'unknown',
    });
    expect(checkKeyExchange(knownTransport({ ...transport, keyExchange: 'mlkem9000' })).severity).toBe('warning');
  });
});

describe('the host key check', () => {
  it('reports the age and mode of the key', async () => {
    expect(await checkHostKey(tools, new Date())).toMatchObject({
      severity: 'ok',
      detail: 'ed25519, mode 0600, 0 days old',
    });
    const old = new Date(Date.now() - 800 * 86_400_000);
    await utimes(tools.hostKeyPath, old, old);
    expect(await checkHostKey(tools, new Date())).toMatchObject({
      severity: 'warning',
      detail: 'ed25519, mode 0600, 800 days old',
    });
  });

  it('is a problem if others can read the key', async () => {
    await chmod(tools.hostKeyPath, 0o640);
    expect(await checkHostKey(tools, new Date())).toMatchObject({
      severity: 'problem',
      detail: expect.stringContaining('0640') as string,
    });
  });

  it('is a problem if the key is a link, which no mode mends', async () => {
    await rename(tools.hostKeyPath, join(folder, 'elsewhere'));
    await symlink('elsewhere', tools.hostKeyPath);
    expect(await checkHostKey(tools, new Date())).toEqual({
      severity: 'problem',
      detail: `${tools.hostKeyPath} is not a regular file`,
      next: expect.not.stringContaining('chmod') as string,
    });
  });
});

describe('the admin key check', () => {
  const now = new Date('2030-06-01T00:00:00Z');
  const admin = (name: string, expiresAt: string | null): AdminInfo => ({
    name,
    role: 'admin',
    certificate: null,
    keys: [
      {
        type: 'ssh-ed25519',
        bits: 256,
        fingerprint: `SHA256:${name}`,
        comment: '',
        publicKey: '',
        addedAt: '',
        addedBy: '',
        from: null,
        expiresAt,
        verifyRequired: false,
        lastUse: null,
      },
    ],
  });
  const check = (...admins: AdminInfo[]) => checkAdminKeys({ ...tools, admins: () => admins }, now);

  it('counts the keys', () => {
    expect(check(admin('ada', null), admin('grace', '2030-06-15T00:00:01Z'))).toEqual({
      severity: 'ok',
      detail: '2 keys of 2 admins',
      next: null,
    });
  });

  it('is a warning from fourteen days before a key expires', () => {
    expect(check(admin('ada', '2030-06-15T00:00:00Z'))).toMatchObject({
      severity: 'warning',
      detail: "1 key of 1 admin; ada's SHA256:ada expires in 14 days",
    });
    expect(check(admin('ada', '2030-05-31T23:59:59Z'))).toMatchObject({
      severity: 'warning',
      detail: "1 key of 1 admin; ada's SHA256:ada has expired",
    });
  });
});

describe('the limit and state checks', () => {
  it('warn when logins reach four fifths of their limit', async () => {
    expect((await checkLimits(tools)).severity).toBe('ok');
    expect((await checkLimits({ ...tools, logins: () => ({ open: 81, max: 100 }) })).severity).toBe('warning');
  });

  it('report the free space of the state folder and the size of the journal', async () => {
    const { detail } = await checkState(tools);
    expect(detail).toMatch(/^journal 1 B, .+ free in /);
  });

  it('is not disturbed by a file that vanishes meanwhile', async () => {
    // Its target is gone, so that it is listed and cannot be examined.
    await symlink(join(folder, 'gone'), join(folder, 'head.json.tmp'));
    expect((await checkState(tools)).detail).toMatch(/^journal 1 B, .+ free in /);
  });
});

describe('the zpool check', () => {
  const saying = (stdout: string): Runner => ({ run: () => Promise.resolve({ stdout, stderr: '', exitCode: 0 }) });

  it('finds a pool healthy or reports what is wrong with it', async () => {
    expect(await poolTrouble(saying("pool 'tank' is healthy\n"), 'tank')).toBeUndefined();
    const degraded =
      '  pool: tank\n state: DEGRADED\nstatus: One or more devices could not be used because the label is missing.\naction: Replace the device.\nconfig:\n';
    expect(await poolTrouble(saying(degraded), 'tank')).toBe(
      'DEGRADED: One or more devices could not be used because the label is missing.',
    );
    expect(await poolTrouble(saying('  pool: tank\n state: ONLINE\nerrors: 3\n'), 'tank')).toBe('ONLINE');
  });
});
