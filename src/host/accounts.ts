/**
 * Host accounts through `getent`, `useradd` and `userdel` (shadow-utils). Jump accounts have no shell, no home, no
 * password, a group of their own as primary group, and an ownership mark in their comment field: an account without
 * both is never touched.
 */
import pRetry from 'p-retry';
import { Failure, isFailure } from '../domain/failure.ts';
import type { Runner } from './runner.ts';

/** One line of passwd(5). */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
}

export interface AccountSpec {
  readonly name: string;
  readonly comment: string;
  readonly group: string;
}

export const jumpShell = '/usr/sbin/nologin';

/** The user of the process that speaks SSH, and the group of that name. */
export const frontAccount = 'containarium-front';

const limitMs = 30_000;

/**
 * stderr of shadow-utils when another program holds the lock of the password files (passwd(5), lckpwdf(3)).
 * `/etc/.pwd.lock` is a permanent file: its presence means nothing, so it is neither waited for nor removed.
 */
const lockTaken =
  /cannot lock \/etc\/(passwd|shadow|group|gshadow|subuid|subgid)|try again later|Resource temporarily unavailable/i;

export interface LockRetry {
  readonly retries: number;
  readonly minTimeout: number;
  readonly maxTimeout: number;
}

/** 6 attempts, 500 ms growing to 30 s, with jitter. */
export const defaultLockRetry: LockRetry = { retries: 5, minTimeout: 500, maxTimeout: 30_000 };

export class Accounts {
  readonly #runner: Runner;
  readonly #lockRetry: LockRetry;
  /** shadow-utils take one lock for all files: our own calls queue here instead of failing on it. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(runner: Runner, lockRetry: LockRetry = defaultLockRetry) {
    this.#runner = runner;
    this.#lockRetry = lockRetry;
  }

  async account(name: string, signal?: AbortSignal): Promise<Account | undefined> {
    const { stdout, exitCode } = await this.#runner.run({
      program: 'getent',
      args: ['passwd', name],
      timeoutMs: limitMs,
      allowExit: [0, 2],
      signal,
    });
    if (exitCode === 2) return undefined;
    return parsePasswd(stdout).find((account) => account.name === name);
  }

  /** Every account the host knows. */
  async all(signal?: AbortSignal): Promise<Account[]> {
    const { stdout } = await this.#runner.run({ program: 'getent', args: ['passwd'], timeoutMs: limitMs, signal });
    return parsePasswd(stdout);
  }

  /** The numeric id of a group, or `undefined` where there is none. */
  async groupId(name: string, signal?: AbortSignal): Promise<number | undefined> {
    const { stdout, exitCode } = await this.#runner.run({
      program: 'getent',
      args: ['group', name],
      timeoutMs: limitMs,
      allowExit: [0, 2],
      signal,
    });
    if (exitCode === 2) return undefined;
    const [found, , gid] = stdout.trim().split(':');
    if (found !== name || gid === undefined || !/^\d+$/.test(gid)) {
      throw new Failure('unexpected-output', {
        what: `"getent group ${name}"`,
        why: 'its answer is not a line of group(5)',
      });
    }
    return Number(gid);
  }

  /** Makes sure that a system group exists. */
  async ensureGroup(name: string): Promise<void> {
    if ((await this.groupId(name)) !== undefined) return;
    // 9 is "not unique" (groupadd(8)): somebody else made it after it was looked for.
    await this.#locked({ program: 'groupadd', args: ['--system', name], allowExit: [0, 9] });
  }

  /** Makes sure that there is a system user that can own processes and nothing else, with a group of its own name. */
  async ensureServiceAccount(name: string, comment: string): Promise<void> {
    if ((await this.account(name)) !== undefined) return;
    const args = [
      '--system',
      '--user-group',
      '--no-create-home',
      '--home-dir',
      '/nonexistent',
      '--shell',
      jumpShell,
      '--comment',
      comment,
      name,
    ];
    await this.#locked({ program: 'useradd', args });
  }

  /** Creates a jump account: no shell, no home, no password that could match, no private group. */
  async create(spec: AccountSpec): Promise<void> {
    await this.#locked({
      program: 'useradd',
      args: [
        '--no-create-home',
        '--home-dir',
        '/nonexistent',
        '--no-user-group',
        '--gid',
        spec.group,
        '--shell',
        jumpShell,
        // `*` matches no password but, unlike the default `!`, does not make sshd treat the account as locked
        // (sshd(8)).
        '--password',
        '*',
        '--comment',
        spec.comment,
        // No subordinate ids: Incus's own range (subuid(5)) leaves room for a dozen accounts, and these never start a
        // container.
        '--key',
        'SUB_UID_COUNT=0',
        '--key',
        'SUB_GID_COUNT=0',
        spec.name,
      ],
    });
  }

  /** Ends every process of the account, that is its forwarding sessions. */
  async endSessions(name: string): Promise<void> {
    await this.#runner.run({ program: 'pkill', args: ['-KILL', '-u', name], timeoutMs: limitMs, allowExit: [0, 1] });
  }

  /** Removes the account; nothing in the file system is deleted with it. */
  async remove(name: string): Promise<void> {
    await this.#locked({ program: 'userdel', args: [name] });
  }

  #locked(command: {
    program: 'useradd' | 'userdel' | 'groupadd';
    args: readonly string[];
    allowExit?: readonly number[];
  }): Promise<void> {
    const run = this.#tail.then(() =>
      pRetry(() => this.#runner.run({ ...command, timeoutMs: limitMs }).then(() => undefined), {
        ...this.#lockRetry,
        factor: 2.3,
        randomize: true,
        shouldRetry: ({ error }) =>
          isFailure(error, 'program-failed') && lockTaken.test(String(error.details?.['stderr'])),
      }),
    );
    this.#tail = run.catch(() => undefined);
    return run;
  }
}

/**
 * Lines of passwd(5); a line of another form is an error, because a missing account must never be concluded from it.
 */
export function parsePasswd(text: string): Account[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name, , uid, gid, comment, home, shell] = line.split(':');
      if (name === undefined || shell === undefined || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) {
        throw new Failure('unexpected-output', {
          what: '"getent passwd"',
          why: 'a line of its answer is not one of passwd(5)',
        });
      }
      return { name, uid: Number(uid), gid: Number(gid), comment: comment ?? '', home: home ?? '', shell };
    });
}
