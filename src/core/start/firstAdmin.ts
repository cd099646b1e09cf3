/** The first start: somebody who may log in. */
import { chmod, chown, readdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withoutLimits } from '../../domain/keys/keyLimits.ts';
import { parsePublicKeys, type PublicKey } from '../../domain/keys/publicKey.ts';
import { makeHostKey } from '../../host/hostKey.ts';
import type { AdminStore } from '../../service/access/adminStore.ts';
import type { Home } from '../../settings/home.ts';

export interface FirstAdmin {
  readonly name: string;
  readonly keys: readonly PublicKey[];
  /** Where the private key is that was made, or the folder whose public keys were taken. */
  readonly from: string;
  readonly made: boolean;
}

interface Invoker {
  readonly name: string;
  readonly home: string;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** Who started the server: behind sudo the person, not root. */
async function invoker(env: NodeJS.ProcessEnv): Promise<Invoker> {
  const name = env['SUDO_USER'] ?? env['USER'] ?? env['LOGNAME'] ?? 'admin';
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
      // A key of a kind that is not accepted here is simply not authorised; the others still are.
    }
  }
  return found;
}

/**
 * Makes sure that somebody may use manage@: the invoking user's own keys, or a key pair made for them. Nothing where
 * there are admins.
 */
export async function firstAdmin(
  home: Home,
  admins: AdminStore,
  env: NodeJS.ProcessEnv,
  now: Date,
): Promise<FirstAdmin | undefined> {
  if (admins.all.length > 0) return undefined;
  const person = await invoker(env);
  const name = /^[a-z][a-z0-9-]{0,31}$/.test(person.name) ? person.name : 'admin';
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
    // The person behind sudo is the one who logs in with it.
    for (const file of [path, `${path}.pub`]) await chown(file, person.uid, person.gid);
    await chmod(home.keys, 0o711);
  }
  const keys = parsePublicKeys(`${made.publicKey} ${name}@containarium`);
  await admins.add(name, { keys: withoutLimits(keys) }, 'first start', now);
  return { name, keys, from: path, made: true };
}
