/** Whom the first start makes an admin, with the keys in the home of the person who starts the server. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { firstAdmins, madeKey } from '../../../../src/core/start/firstAdmins.ts';
import { parseLimitedKeys } from '../../../../src/domain/keys/keyLimits.ts';
import { makeHostKey } from '../../../../src/host/hostKey.ts';
import { AdminStore } from '../../../../src/service/access/adminStore.ts';
import { homeAt, makeHome } from '../../../../src/settings/home.ts';

const own = makeHostKey('carol@desk');
const colleague = makeHostKey('bob@desk');

describe('the first start', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-first-'));
    await mkdir(join(folder, '.ssh'));
    await writeFile(join(folder, '.ssh', 'bob.pub'), `${colleague.publicKey} bob@desk\n`);
    vi.stubEnv('HOME', folder);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  const start = async () => {
    const home = homeAt(join(folder, 'home'));
    await makeHome(home);
    const admins = await AdminStore.open(join(home.state, 'admins.json'));
    return firstAdmins(home, admins, { USER: 'carol' }, new Date());
  };

  it('admits the person with their own key, and not a colleague whose key they keep', async () => {
    await writeFile(join(folder, '.ssh', 'id_ed25519'), own.privateKey, { mode: 0o600 });
    await writeFile(join(folder, '.ssh', 'id_ed25519.pub'), `${own.publicKey} carol@desk\n`);
    const [admin, ...more] = await start();
    expect([admin?.name, admin?.made, more]).toEqual(['carol', false, []]);
    expect(admin?.keys.map(({ fingerprint }) => fingerprint)).toEqual([own.fingerprint]);
  });

  it('makes a new key pair where only keys of colleagues are', async () => {
    const [admin] = await start();
    expect(admin).toMatchObject({ name: 'carol', made: true });
    expect(admin?.keys.map(({ fingerprint }) => fingerprint)).not.toContain(colleague.fingerprint);
  });

  it('makes a key that later starts name while it lets an admin in', async () => {
    const home = homeAt(join(folder, 'home'));
    const admins = () => AdminStore.open(join(home.state, 'admins.json'));
    await makeHome(home);
    expect(await madeKey(home, await admins())).toBeUndefined();
    const [admin] = await start();
    expect(await madeKey(home, await admins())).toBe(admin?.from);
    const store = await admins();
    await store.add(
      'dave',
      { keys: parseLimitedKeys(`${own.publicKey} dave@desk`), role: 'admin' },
      'carol',
      new Date(),
    );
    await store.remove('carol');
    expect(await madeKey(home, await admins())).toBeUndefined();
  });

  it('admits all whom the installer was told, or none of them', async () => {
    const home = homeAt(join(folder, 'home'));
    await mkdir(home.firstAdmins, { recursive: true });
    const told = (name: string, key: string): Promise<void> => writeFile(join(home.firstAdmins, `${name}.pub`), key);
    await told('carol', `${own.publicKey} carol@desk\n`);
    await told('dave', `${own.publicKey} dave@desk\n`);
    await expect(start()).rejects.toThrow('it already belongs to admin "carol"');
    await told('dave', `${colleague.publicKey} dave@desk\n`);
    expect((await start()).map(({ name }) => name)).toEqual(['carol', 'dave']);
    const kept = await AdminStore.open(join(home.state, 'admins.json'));
    expect(kept.all.map(({ name, role, keys }) => [name, role, keys.length])).toEqual([
      ['carol', 'admin', 1],
      ['dave', 'admin', 1],
    ]);
  });
});
