/** Makes the first admin at the first start. */
import { chmod, chown, readdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withoutLimits } from '../../domain/keys/keyLimits.ts';
import { parsePublicKeys, type PublicKey } from '../../domain/keys/publicKey.ts';
import { makeHostKey } from '../../host/hostKey.ts';
import type { AdminStore } from '../../service/access/adminStore.ts';
import { isName } from '../../domain/values/username.ts';
import { invokingUser } from '../../settings/environment.ts';
import type { Home } from '../../settings/home.ts';

export interface FirstAdmin {
  readonly name: string;
  readonly keys: readonly PublicKey[];
  /** Path of the new private key if `made`, otherwise the folder of the public keys. */
  readonly from: string;
  readonly made: boolean;
}

interface Invoker {
  readonly name: string;
  readonly home: string;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** Returns the user who started the server, with their home. */
async function invoker(env: NodeJS.ProcessEnv): Promise<Invoker> {
  const name = invokingUser(env) ?? 'admin';
  if (env['SUDO_USER'] === undefined || process.getuid?.() !== 0)
    return { name, home: homedir(), uid: undefined, gid: undefined };
  const line = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name}:`));
  const [, , , , , home] = line?.split(':') ?? [];
  const number = (text: string | undefined): number | undefined =>
    text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  return { name, home: home ?? homedir(), uid: number(env['SUDO_UID']), gid: number(env['SUDO_GID']) };
}

async function ownPublicKeys(folder: string): Promise<PublicKey[]> {
  const names = (await readdir(folder).catch(() => []))
    .filter((name) => name.endsWith('.pub') && !name.endsWith('-cert.pub'))
    .sort();
  const found: PublicKey[] = [];
  for (const name of names) {
    try {
      found.push(...parsePublicKeys(await readFile(join(folder, name), 'utf8')));
    } catch {
      // A key of an unsupported type is skipped; the others are still accepted.
    }
  }
  return found;
}

/**
 * Adds the invoking user as admin, with their own public keys or with a new key pair. Does nothing if there are admins
 * already.
 */
export async function firstAdmin(
  home: Home,
  admins: AdminStore,
  env: NodeJS.ProcessEnv,
  now: Date,
): Promise<FirstAdmin | undefined> {
  if (admins.all.length > 0) return undefined;
  const person = await invoker(env);
  const name = isName(person.name) ? person.name : 'admin';
  const folder = join(person.home, '.ssh');
  const own = await ownPublicKeys(folder);
  if (own.length > 0) {
    await admins.add(name, { keys: withoutLimits(own) }, 'first start', now);
    return { name, keys: own, from: folder, made: false };
  }
  const path = join(home.keys, 'admin_ed25519');
  const made = makeHostKey(`${name}@containarium`);
  await writeFile(path, made.privateKey, { mode: 0o600 });
  await writeFile(`${path}.pub`, `${made.publicKey} ${name}@containarium\n`, { mode: 0o644 });
  if (person.uid !== undefined && person.gid !== undefined) {
    // The person behind sudo logs in with this key, and must be able to read it.
    for (const file of [path, `${path}.pub`]) await chown(file, person.uid, person.gid);
    await chmod(home.keys, 0o711);
  }
  const keys = parsePublicKeys(`${made.publicKey} ${name}@containarium`);
  await admins.add(name, { keys: withoutLimits(keys) }, 'first start', now);
  return { name, keys, from: path, made: true };
}
