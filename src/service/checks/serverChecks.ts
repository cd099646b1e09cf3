/**
 * The checks of `doctor` for the server itself: the caller's connection, the keys, operations, the journal, and
 * resources that run short.
 */
import { access, constants, lstat, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Transport } from '../../domain/access/login.ts';
import { plural } from '../../domain/text.ts';
import { dayMs } from '../../domain/values/duration.ts';
import { formatHuman } from '../../domain/values/size.ts';
import { postQuantum } from '../../domain/access/transport.ts';
import type { HostContext } from '../instances/context.ts';
import { ok, problem, warning, type Outcome } from './outcome.ts';
import type { DoctorTools, ServerTools } from './tools.ts';

/** Age at which a host key is worth rotating, in days. */
const oldDays = 730;
/** How long before its expiry a key is reported, in days. */
const soonDays = 14;
/** Share of a limit at which it counts as near. */
const near = 0.8;
/**
 * Free space for state and journal below which there is a warning or a problem, in bytes: a full disk stops every verb.
 */
const littleBytes = 1024 ** 3;
const tooLittleBytes = 64 * 1024 ** 2;

/** Checks the algorithms that the caller's connection negotiated, as the front reports them. */
export function checkKeyExchange(transport: Transport | undefined): Outcome {
  if (transport === undefined) return ok('this call did not come over ssh');
  const text = `this connection: ${transport.keyExchange}, ${transport.cipher}, host key ${transport.hostKey}`;
  return postQuantum.has(transport.keyExchange)
    ? ok(text)
    : warning(
        `${text}; a quantum computer may one day decrypt a recording of it`,
        'use a client with mlkem768x25519-sha256: OpenSSH 9.9 or newer',
      );
}

export async function checkHostKey({ hostKeyPath }: ServerTools, now: Date): Promise<Outcome> {
  const found = await lstat(hostKeyPath);
  if (!found.isFile())
    return problem(
      `${hostKeyPath} is not a regular file`,
      'put the key itself there, with mode 0600: the next start requires it',
    );
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  if ((found.mode & 0o077) !== 0)
    return problem(
      `${hostKeyPath} has mode ${mode}: others can read it`,
      `chmod 600 ${hostKeyPath}; then make a new one: "host-key rotate"`,
    );
  const days = Math.floor(Math.max(0, now.getTime() - found.mtimeMs) / dayMs);
  const text = `ed25519, mode ${mode}, ${plural(days, 'day')} old`;
  return days > oldDays
    ? warning(text, '"host-key rotate": regular rotation limits the use of a stolen key')
    : ok(text);
}

/** A key of an admin that ends. */
export interface EndingKey {
  readonly name: string;
  readonly fingerprint: string;
  /** Time that is left, in milliseconds; not positive if it has expired. */
  readonly leftMs: number;
  /** A clause: `carol's SHA256:… expires in 3 days`. */
  readonly text: string;
}

/** Returns the admin keys that have expired or will within so many days. */
export function endingAdminKeys({ admins }: Pick<ServerTools, 'admins'>, now: Date, days = soonDays): EndingKey[] {
  return admins().flatMap(({ name, keys }) =>
    keys.flatMap(({ fingerprint, expiresAt }): EndingKey[] => {
      const leftMs = expiresAt === null ? Infinity : Date.parse(expiresAt) - now.getTime();
      if (leftMs > days * dayMs) return [];
      const ends = leftMs <= 0 ? 'has expired' : `expires in ${plural(Math.ceil(leftMs / dayMs), 'day')}`;
      return [{ name, fingerprint, leftMs, text: `${name}'s ${fingerprint} ${ends}` }];
    }),
  );
}

/** Checks for admin keys that have expired or soon will. */
export function checkAdminKeys(server: ServerTools, now: Date): Outcome {
  const all = server.admins();
  const count = all.reduce((sum, { keys }) => sum + keys.length, 0);
  const text = `${plural(count, 'key')} of ${plural(all.length, 'admin')}`;
  const ending = endingAdminKeys(server, now);
  return ending.length === 0
    ? ok(text)
    : warning(
        `${text}; ${ending.map((key) => key.text).join('; ')}`,
        'give the keys a later expiry-time ("admin add <name>"), or remove them ("admin remove <key>")',
      );
}

/** Checks the logins and file descriptors of this process against their limits. */
export async function checkLimits({ logins }: ServerTools): Promise<Outcome> {
  const { open, max } = logins();
  const [descriptors, limit] = await Promise.all([
    readdir('/proc/self/fd').then((names) => names.length),
    descriptorLimit(),
  ]);
  const text = `${open} of ${max} logins, ${descriptors} of ${limit ?? 'any number of'} file descriptors`;
  if (open > near * max || (limit !== undefined && descriptors > near * limit))
    return warning(`near a limit: ${text}`, 'see "session list", or raise LimitNOFILE in the unit');
  return ok(text);
}

/** Returns the soft limit of file descriptors (proc_pid_limits(5)); undefined if unlimited. */
async function descriptorLimit(): Promise<number | undefined> {
  const soft = /^Max open files\s+(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1];
  return soft === undefined ? undefined : Number(soft);
}

/** Returns the size of a file; 0 if it is gone, as the temporary file is with which head.json was replaced. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}

/** Checks the free space for state and journal. */
export async function checkState({ stateFolder, journalFolder }: ServerTools): Promise<Outcome> {
  // Fails on a read-only file system, for root too.
  await access(journalFolder, constants.W_OK);
  const { bavail, bsize } = await statfs(stateFolder);
  const freeBytes = bavail * bsize;
  let journalBytes = 0;
  for (const name of await readdir(journalFolder)) journalBytes += await sizeOf(join(journalFolder, name));
  const text = `journal ${formatHuman(journalBytes)}, ${formatHuman(freeBytes)} free in ${stateFolder}`;
  if (freeBytes < tooLittleBytes) return problem(text, 'free disk space: a call that cannot be recorded is refused');
  return freeBytes < littleBytes ? warning(text, 'free disk space') : ok(text);
}

export function checkOperations({ operations }: HostContext): Outcome {
  const open = operations.unfinished();
  if (open.length === 0) return ok('none unfinished');
  return warning(
    open.map((operation) => `"${operation.verb} ${operation.target}" since ${operation.startedAt}`).join('; '),
    'wait, or run "reconcile --apply"',
  );
}

export async function checkJournal(tools: DoctorTools, signal: AbortSignal): Promise<Outcome> {
  const verified = await tools.verifyJournal(signal);
  if (verified.ok && verified.anchorTrouble !== null)
    return warning(
      `intact, but its anchors were not compared: ${verified.anchorTrouble}`,
      'make journal.anchor.file readable again',
    );
  return verified.ok
    ? ok(`${verified.records} records, head ${verified.head.seq} ${verified.head.hash.slice(0, 16)}`)
    : problem(
        `${verified.firstBad.segment} line ${verified.firstBad.line}: ${verified.firstBad.reason}`,
        '"audit verify" shows where; do not change the files',
      );
}
