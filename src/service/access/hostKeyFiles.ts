/**
 * The server's own host keys: the present one, and while a rotation is announced the next one. Clients that follow
 * announcements (OpenSSH with `UpdateHostKeys`) learn the next key at their next login, and nobody is warned when it
 * takes over.
 *
 *   keys/host_ed25519            the present key, 0600; beside it .pub
 *   keys/host_ed25519.next       the next one, from rotate to switch
 *   keys/host_ed25519.previous   the one before the last switch, for going back by hand
 *
 * A running server keeps the keys that it was started with: what is changed here counts from its next start.
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

/** A host key as people and name servers are shown it. */
export interface ListedHostKey {
  readonly which: 'current' | 'next';
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  /** When its file was written; a switch does not change it. RFC 3339 UTC. */
  readonly madeAt: string;
  /** The data of an SSHFP record: algorithm 4 is ed25519 (RFC 7479), type 2 is SHA-256 (RFC 6594). */
  readonly sshfp: { readonly algorithm: 4; readonly type: 2; readonly fingerprint: string };
}

const currentName = 'host_ed25519';
const nextName = `${currentName}.next`;
const previousName = `${currentName}.previous`;

/**
 * The host keys in `folder`; at the very first start the present one is made.
 *
 * @throws Failure (`settings`) where a key can be read by others, cannot be read at all, is damaged, or has gone: a key
 *   that clients know
 *   is never replaced without a word
 */
export async function serverHostKeys(folder: string): Promise<ServerHostKeys> {
  const present = await readKey(folder, currentName);
  const next = await readKey(folder, nextName);
  if (present !== undefined) {
    // Derived from the private key, and possibly of the time before a switch that was cut short.
    await writePublic(folder, currentName, present);
    return { current: { ...present, made: false }, ...(next === undefined ? {} : { next }) };
  }
  if (
    next !== undefined ||
    (await exists(join(folder, `${currentName}.pub`))) ||
    (await exists(join(folder, previousName)))
  ) {
    throw new Failure('settings', {
      what: `host key ${join(folder, currentName)}`,
      why: 'it has gone, but there was one',
      next: `restore it from a backup; or, to have a new one made that every client will warn of, remove ${join(folder, currentName)}*`,
    });
  }
  const made = makeHostKey('containarium');
  await writeKey(folder, currentName, made);
  return { current: { ...made, made: true } };
}

/** The keys that there are; nothing is made. Throws as {@link serverHostKeys} does. */
export async function listHostKeys(folder: string): Promise<ListedHostKey[]> {
  const current = await readKey(folder, currentName);
  const next = await readKey(folder, nextName);
  return [
    ...(current === undefined ? [] : [await listed(folder, 'current', current)]),
    ...(next === undefined ? [] : [await listed(folder, 'next', next)]),
  ];
}

/**
 * Makes the next host key, which is announced from the next start on.
 *
 * @throws Failure (`exists`) where a rotation is under way; (`settings`) where there is no present key, or one cannot
 *   be read
 */
export async function rotateHostKey(folder: string): Promise<ListedHostKey> {
  await presentKey(folder);
  if ((await readKey(folder, nextName)) !== undefined) {
    throw new Failure('exists', {
      what: 'a new host key',
      why: 'the next one is being announced already',
      next: 'containarium host-key switch, once clients have seen it',
    });
  }
  const made = makeHostKey('containarium');
  await writeKey(folder, nextName, made);
  return listed(folder, 'next', made);
}

/**
 * Makes the next key the present one, from the next start on. Cut short at any point, the folder holds either the old
 * state or the new one.
 *
 * @throws Failure (`wrong-state`) where no rotation is under way; (`settings`) where a key cannot be read
 */
export async function switchHostKey(folder: string): Promise<ListedHostKey> {
  await presentKey(folder);
  const next = await readKey(folder, nextName);
  if (next === undefined) {
    throw new Failure('wrong-state', {
      what: 'the next host key',
      why: 'there is none',
      next: 'containarium host-key rotate, and give clients time to see it',
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

async function presentKey(folder: string): Promise<HostKeyPair> {
  const key = await readKey(folder, currentName);
  if (key !== undefined) return key;
  throw new Failure('settings', {
    what: `host key ${join(folder, currentName)}`,
    why: 'there is none',
    next: 'start the server once, which makes one',
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

/** The key pair of a file; `undefined` where there is no file. */
async function readKey(folder: string, name: string): Promise<HostKeyPair | undefined> {
  const path = join(folder, name);
  const what = `host key ${path}`;
  let text: string;
  try {
    const stat = await lstat(path);
    if (!stat.isFile())
      throw new Failure('settings', { what, why: 'it is not a plain file', next: `put the key itself there` });
    if ((stat.mode & 0o077) !== 0) {
      throw new Failure('settings', {
        what,
        why: `others can read it (mode ${(stat.mode & 0o777).toString(8).padStart(4, '0')})`,
        next: `chmod 600 ${path}; and if somebody may have read it, have a new one made (containarium host-key rotate)`,
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
        next: 'make it readable for the server, or restore it from a backup',
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

/** The private key last, and whole or not at all. */
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
