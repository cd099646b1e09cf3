/**
 * The public keys of a person on this machine. A folder `~/.ssh` often has those of colleagues too, so a key counts as
 * the person's own only if its private half lies beside it, as ssh-keygen(1) writes both: `id_ed25519` and
 * `id_ed25519.pub`.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { maxKeyTextBytes, parsePublicKeys, type PublicKey } from '../domain/keys/publicKey.ts';
import { publicHalf } from './hostKey.ts';

const extension = '.pub';

/** Returns the person's own keys in a folder. What is missing, unreadable or of an unsupported type is none. */
export async function ownPublicKeys(folder: string): Promise<PublicKey[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(extension)).sort();
  const found: PublicKey[] = [];
  for (const name of names) {
    const secret = await smallFile(join(folder, name.slice(0, -extension.length)));
    if (secret === undefined) continue;
    try {
      const keys = parsePublicKeys((await smallFile(join(folder, name))) ?? '');
      found.push(...keys.filter((key) => isHalfOf(secret, key)));
    } catch {
      // A key of an unsupported type is skipped; the others are still accepted.
    }
  }
  return found;
}

async function smallFile(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true || found.size > maxKeyTextBytes) return undefined;
  return readFile(path, 'utf8').catch(() => undefined);
}

/** Reports whether a key belongs to a private key. Of one in PEM, which may have a passphrase, the name decides. */
function isHalfOf(secret: string, { blob }: PublicKey): boolean {
  return publicHalf(secret)?.equals(blob) ?? /^-----BEGIN (RSA |EC |ENCRYPTED )?PRIVATE KEY-----/.test(secret);
}
