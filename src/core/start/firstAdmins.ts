/** Makes the first admins at the first start. */
import { chmod, chown, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseLimitedKeys, withoutLimits } from '../../domain/keys/keyLimits.ts';
import { parsePublicKeys, type PublicKey } from '../../domain/keys/publicKey.ts';
import { makeHostKey } from '../../host/hostKey.ts';
import { ownPublicKeys } from '../../host/ownKeys.ts';
import type { AdminStore, FirstOfAll } from '../../service/access/adminStore.ts';
import { isName } from '../../domain/values/username.ts';
import { invoker, type Invoker } from '../../settings/invoker.ts';
import type { Home } from '../../settings/home.ts';

export interface FirstAdmin {
  readonly name: string;
  readonly keys: readonly PublicKey[];
  /** Path of the new private key if `made`, otherwise the folder of the public keys. */
  readonly from: string;
  readonly made: boolean;
}

/** Returns the admins whom the installer was told: a file NAME.pub for each. */
async function chosenAdmins(from: string): Promise<readonly FirstOfAll[]> {
  const chosen: FirstOfAll[] = [];
  const files = await readdir(from).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  for (const file of files.sort()) {
    const [, name = ''] = /^(.+)\.pub$/.exec(file) ?? [];
    if (isName(name)) chosen.push({ name, keys: parseLimitedKeys(await readFile(join(from, file), 'utf8')) });
  }
  return chosen;
}

/**
 * Adds the admins whom the installer was told, or else the invoking user, with their own public keys (host/ownKeys.ts)
 * or with a new key pair. Does nothing if there are admins already.
 */
export async function firstAdmins(
  home: Home,
  admins: AdminStore,
  env: NodeJS.ProcessEnv,
  now: Date,
): Promise<readonly FirstAdmin[]> {
  if (admins.all.length > 0) return [];
  const from = home.firstAdmins;
  const chosen = await chosenAdmins(from);
  if (chosen.length > 0) {
    await admins.addFirst(chosen, 'first start', now);
    return chosen.map(({ name, keys }) => ({ name, keys: keys.map(({ key }) => key), from, made: false }));
  }
  const person = await invoker(env);
  const name = isName(person.name) ? person.name : 'admin';
  const folder = join(person.home, '.ssh');
  const own = await ownPublicKeys(folder);
  if (own.length > 0) {
    await admins.add(name, { keys: withoutLimits(own), role: 'admin' }, 'first start', now);
    return [{ name, keys: own, from: folder, made: false }];
  }
  return [await adminWithNewKey(name, person, home, admins, now)];
}

/** Returns the path of the private key that the first start made, if an admin still has its public key. */
export async function madeKey(home: Home, admins: Pick<AdminStore, 'list'>): Promise<string | undefined> {
  const path = madeKeyPath(home);
  const text = await readFile(`${path}.pub`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const made = parsePublicKeys(text).map(({ fingerprint }) => fingerprint);
  return admins.list().some(({ keys }) => keys.some(({ fingerprint }) => made.includes(fingerprint)))
    ? path
    : undefined;
}

function madeKeyPath(home: Home): string {
  return join(home.keys, 'admin_ed25519');
}

async function adminWithNewKey(
  name: string,
  person: Invoker,
  home: Home,
  admins: AdminStore,
  now: Date,
): Promise<FirstAdmin> {
  const path = madeKeyPath(home);
  const made = makeHostKey(`${name}@containarium`);
  await writeFile(path, made.privateKey, { mode: 0o600 });
  await writeFile(`${path}.pub`, `${made.publicKey} ${name}@containarium\n`, { mode: 0o644 });
  if (person.uid !== undefined && person.gid !== undefined) {
    // The person behind sudo logs in with this key, and must be able to read it.
    for (const file of [path, `${path}.pub`]) await chown(file, person.uid, person.gid);
    await chmod(home.keys, 0o711);
  }
  const keys = parsePublicKeys(`${made.publicKey} ${name}@containarium`);
  await admins.add(name, { keys: withoutLimits(keys), role: 'admin' }, 'first start', now);
  return { name, keys, from: path, made: true };
}
