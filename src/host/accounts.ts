/**
 * Host accounts, through `getent`, `useradd` and `userdel` (shadow-utils). A jump account has no shell, no home and no
 * password. Its primary group is the jump group, and its comment field has an ownership mark: an account without both
 * is never touched.
 */
import { setTimeout as pause } from 'node:timers/promises';
import pRetry from 'p-retry';
import { onBehalfOfAll } from '../domain/access/caller.ts';
import { Failure } from '../domain/failure.ts';
import { failedWith, type Runner } from './runner.ts';

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

/** The user that the front runs as, and its group. */
export const frontAccount = 'containarium-front';

/** The user of the process that serves the remote interface. */
export const remoteAccount = 'containarium-remote';

const limitMs = 30_000;

/** Bounds {@link Accounts.endSessions}: anyone can keep opening connections that name the account. */
const maxKillRounds = 4;

/** The first pause between those rounds, in milliseconds; each is twice as long as the one before. */
const firstKillPauseMs = 20;

/**
 * Matches stderr of shadow-utils when another program holds the lock of the password files (passwd(5), lckpwdf(3)).
 * `/etc/.pwd.lock` always exists, so its presence means nothing: it is neither waited for nor removed.
 */
const lockTaken =
  /cannot lock \/etc\/(passwd|shadow|group|gshadow|subuid|subgid)|try again later|Resource temporarily unavailable/i;

/** Matches stderr of userdel for an account of which a process still runs, or exits (exit code 8 of userdel(8)). */
const inUse = /is currently (?:used by process|logged in)/i;

export interface LockRetry {
  readonly retries: number;
  readonly minTimeout: number;
  readonly maxTimeout: number;
}

/** 6 attempts with pauses of 500 ms growing to 30 s, with jitter. */
const defaultLockRetry: LockRetry = { retries: 5, minTimeout: 500, maxTimeout: 30_000 };

export class Accounts {
  readonly #runner: Runner;
  readonly #lockRetry: LockRetry;
  /** The last change. shadow-utils take one lock for all files, so changes queue here instead of failing on it. */
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

  /** Returns every account of the host. */
  async all(signal?: AbortSignal): Promise<Account[]> {
    const { stdout } = await this.#runner.run({ program: 'getent', args: ['passwd'], timeoutMs: limitMs, signal });
    return parsePasswd(stdout);
  }

  /** Returns the numeric id of a group, or `undefined` if it does not exist. */
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
        why: 'its output is not a line of group(5)',
      });
    }
    return Number(gid);
  }

  /** Creates a system group if it does not exist. */
  async ensureGroup(name: string): Promise<void> {
    if ((await this.groupId(name)) !== undefined) return;
    // 9 is "not unique" (groupadd(8)): another program created the group after the check.
    await this.#locked({ program: 'groupadd', args: ['--system', name], allowExit: [0, 9] });
  }

  /** Creates a system user and its group if they do not exist. The user can run processes and do nothing else. */
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

  /** Creates a jump account: no shell, no home, no usable password, no private group. */
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
        // `*` matches no password. Unlike the default `!`, it does not make sshd treat the account as locked (sshd(8)).
        '--password',
        '*',
        '--comment',
        spec.comment,
        // No subordinate ids: Incus's own range (subuid(5)) leaves room for only a dozen accounts, and jump accounts
        // never start a container.
        '--key',
        'SUB_UID_COUNT=0',
        '--key',
        'SUB_GID_COUNT=0',
        spec.name,
      ],
    });
  }

  /**
   * Ends the connections of an account through the host's sshd: kills root's sshd processes that serve it, which may
   * be about to complete a login, and every process of the account. Repeats that while it finds any, because a process
   * may start another one while they are listed, and one that is killed takes a moment to exit. Returns whether a
   * connection was ended.
   */
  async endSessions(name: string): Promise<boolean> {
    let ended = false;
    for (let round = 0; round < maxKillRounds; round += 1) {
      // The titles are those of OpenSSH's monitor.c. Any user can give a process such a title, so only root's count.
      const serving = await this.#kill(['-u', '0', '-f', `^sshd(-session)?: ${name} \\[priv\\]`]);
      const own = await this.#kill(['-u', name]);
      ended ||= own;
      if (!serving && !own) break;
      await pause(firstKillPauseMs * 2 ** round);
    }
    return ended;
  }

  /** Kills the processes that pkill(1) selects. Returns whether there were any. */
  async #kill(selection: readonly string[]): Promise<boolean> {
    const { exitCode } = await this.#runner.run({
      program: 'pkill',
      args: ['-KILL', ...selection],
      timeoutMs: limitMs,
      allowExit: [0, 1],
    });
    return exitCode === 0;
  }

  /** Ends the connections of the account and removes it, but none of its files. */
  async remove(name: string): Promise<void> {
    await this.#locked({ program: 'userdel', args: [name] }, () => this.endSessions(name));
  }

  /** Runs a change of the password files, each time after `before`, until the lock is free and no process is left. */
  #locked(
    command: {
      program: 'useradd' | 'userdel' | 'groupadd';
      args: readonly string[];
      allowExit?: readonly number[];
    },
    before: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<void> {
    const change = async (): Promise<void> => {
      await before();
      await this.#runner.run({ ...command, timeoutMs: limitMs });
    };
    const retried = (): Promise<void> =>
      pRetry(change, {
        ...this.#lockRetry,
        factor: 2.3,
        randomize: true,
        shouldRetry: ({ error }) => failedWith(error, lockTaken) || failedWith(error, inUse),
      });
    const run = this.#tail.then(() => onBehalfOfAll(retried));
    this.#tail = run.catch(() => undefined);
    return run;
  }
}

/** Parses lines of passwd(5). Throws for any other line: it must never look as if an account were missing. */
export function parsePasswd(text: string): Account[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name, , uid, gid, comment, home, shell] = line.split(':');
      if (name === undefined || shell === undefined || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) {
        throw new Failure('unexpected-output', {
          what: '"getent passwd"',
          why: 'its output is not in the format of passwd(5)',
        });
      }
      return { name, uid: Number(uid), gid: Number(gid), comment: comment ?? '', home: home ?? '', shell };
    });
}
