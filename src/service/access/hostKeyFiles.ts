/**
 * The server's own host keys: the current one and, during a rotation, the next one. Clients that follow announcements
 * (OpenSSH with `UpdateHostKeys`) learn the next key at their next login, so they do not warn when it takes over.
 *
 *   keys/host_ed25519            the current key, 0600; beside it .pub
 *   keys/host_ed25519.next       the next key, from rotate to switch
 *   keys/host_ed25519.previous   the key before the last switch, for going back by hand
 *
 * A running server keeps the keys that it was started with: changes take effect at its next start.
 */
import { createHash } from 'node:crypto';
import { access, copyFile, lstat, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import { decodeHostKey, makeHostKey, type HostKeyPair } from '../../host/hostKey.ts';

export interface ServerHostKey extends HostKeyPair {
  readonly made: boolean;
}

export interface ServerHostKeys {
  readonly current: ServerHostKey;
  readonly next?: HostKeyPair;
}

/** A host key in the forms that people and name servers use. */
export interface ListedHostKey {
  readonly which: 'current' | 'next';
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  /** When the key was generated, from its file's modification time; a switch does not change it. RFC 3339 UTC. */
  readonly madeAt: string;
  /** The data of an SSHFP record: algorithm 4 is ed25519 (RFC 7479), type 2 is SHA-256 (RFC 6594). */
  readonly sshfp: { readonly algorithm: 4; readonly type: 2; readonly fingerprint: string };
}

const currentName = 'host_ed25519';
const nextName = `${currentName}.next`;
const previousName = `${currentName}.previous`;

/**
 * Returns the host keys in `folder`, and generates the current key at the very first start.
 *
 * @throws Failure (`settings`) if a key is readable by others, unreadable, damaged or missing: a key that clients know
 *   is never silently replaced
 */
export async function serverHostKeys(folder: string): Promise<ServerHostKeys> {
  const existing = await readKey(folder, currentName);
  const next = await readKey(folder, nextName);
  if (existing !== undefined) {
    // Rewrite the public key: an interrupted switch may have left the old one.
    await writePublic(folder, currentName, existing);
    return { current: { ...existing, made: false }, ...(next === undefined ? {} : { next }) };
  }
  if (
    next !== undefined ||
    (await exists(join(folder, `${currentName}.pub`))) ||
    (await exists(join(folder, previousName)))
  ) {
    throw new Failure('settings', {
      what: `host key ${join(folder, currentName)}`,
      why: 'it is missing, but an earlier one existed',
      next: `restore it from a backup; or remove ${join(folder, currentName)}* to generate a new key, about which every client will warn`,
    });
  }
  const made = makeHostKey('containarium');
  await writeKey(folder, currentName, made);
  return { current: { ...made, made: true } };
}

/** Returns the existing keys without generating any. Throws as {@link serverHostKeys} does. */
export async function listHostKeys(folder: string): Promise<ListedHostKey[]> {
  const current = await readKey(folder, currentName);
  const next = await readKey(folder, nextName);
  return [
    ...(current === undefined ? [] : [await listed(folder, 'current', current)]),
    ...(next === undefined ? [] : [await listed(folder, 'next', next)]),
  ];
}

/**
 * Generates the next host key, which the server announces from its next start on.
 *
 * @throws Failure (`exists`) if a rotation is under way; (`settings`) if the current key is missing or a key is
 * unreadable
 */
export async function rotateHostKey(folder: string): Promise<ListedHostKey> {
  await requireCurrentKey(folder);
  if ((await readKey(folder, nextName)) !== undefined) {
    throw new Failure('exists', {
      what: 'a new host key',
      why: 'the next one is already being announced',
      next: '"host-key switch" makes it the current one, once clients have learned it',
    });
  }
  const made = makeHostKey('containarium');
  await writeKey(folder, nextName, made);
  return listed(folder, 'next', made);
}

/**
 * Makes the next key the current one, from the next start on. If interrupted at any point, the folder holds either the
 * old state or the new one.
 *
 * @throws Failure (`wrong-state`) if no rotation is under way; (`settings`) if a key is unreadable
 */
export async function switchHostKey(folder: string): Promise<ListedHostKey> {
  await requireCurrentKey(folder);
  const next = await readKey(folder, nextName);
  if (next === undefined) {
    throw new Failure('wrong-state', {
      what: 'the next host key',
      why: 'there is none',
      next: '"host-key rotate" generates it; then give clients time to learn it',
    });
  }
  const previous = join(folder, previousName);
  await rm(previous, { force: true });
  await copyFile(join(folder, currentName), previous);
  await rename(join(folder, nextName), join(folder, currentName));
  await syncFolder(folder);
  await writePublic(folder, currentName, next);
  await rm(join(folder, `${nextName}.pub`), { force: true });
  return listed(folder, 'current', next);
}

async function requireCurrentKey(folder: string): Promise<HostKeyPair> {
  const key = await readKey(folder, currentName);
  if (key !== undefined) return key;
  throw new Failure('settings', {
    what: `host key ${join(folder, currentName)}`,
    why: 'there is none',
    next: 'start the server once to generate it',
  });
}

async function listed(
  folder: string,
  which: ListedHostKey['which'],
  { publicKey, fingerprint }: HostKeyPair,
): Promise<ListedHostKey> {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  const { mtime } = await lstat(join(folder, which === 'current' ? currentName : nextName));
  return {
    which,
    publicKey,
    fingerprint,
    madeAt: mtime.toISOString(),
    sshfp: { algorithm: 4, type: 2, fingerprint: createHash('sha256').update(blob).digest('hex') },
  };
}

/** Returns the key pair in a file; `undefined` if the file does not exist. */
async function readKey(folder: string, name: string): Promise<HostKeyPair | undefined> {
  const path = join(folder, name);
  const what = `host key ${path}`;
  let text: string;
  try {
    const stat = await lstat(path);
    if (!stat.isFile())
      throw new Failure('settings', { what, why: 'it is not a regular file', next: `put the key itself there` });
    if ((stat.mode & 0o077) !== 0) {
      throw new Failure('settings', {
        what,
        why: `others can read it (mode ${(stat.mode & 0o777).toString(8).padStart(4, '0')})`,
        next: `chmod 600 ${path}; if anyone may have read it, replace it: "host-key rotate"`,
      });
    }
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Failure(
      'settings',
      {
        what,
        why: error instanceof Error ? error.message : String(error),
        next: 'make it readable by the server, or restore it from a backup',
      },
      error,
    );
  }
  try {
    return decodeHostKey(text);
  } catch (error) {
    throw new Failure(
      'settings',
      { what, why: error instanceof Error ? error.message : String(error), next: 'restore it from a backup' },
      error,
    );
  }
}

/** Writes a key pair. The private key is renamed into place, so that it is there whole or not at all. */
async function writeKey(folder: string, name: string, key: HostKeyPair): Promise<void> {
  const path = join(folder, name);
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  const file = await open(fresh, 'wx', 0o600);
  try {
    await file.writeFile(key.privateKey);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  await syncFolder(folder);
  await writePublic(folder, name, key);
}

async function writePublic(folder: string, name: string, { publicKey }: HostKeyPair): Promise<void> {
  const path = join(folder, `${name}.pub`);
  const line = `${publicKey} containarium\n`;
  const before = await readFile(path, 'utf8').catch(() => '');
  if (before !== line) await writeFile(path, line, { mode: 0o644 });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
