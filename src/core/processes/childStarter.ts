/**
 * Runs a process as a child of core: in a checkout, and on machines without systemd. The process loads its code as the
 * user who started core, because no other user may be able to read a checkout in a home directory. It drops to its own
 * user before it reads the first byte from a client.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { systemPath } from '../../domain/systemPath.ts';
import {
  processCommand,
  processEnvironment,
  type ProcessEnd,
  type ProcessKind,
  type ProcessRun,
  type ProcessStarter,
} from './processStarter.ts';
import { logProcess } from './processLog.ts';
import type { Listener } from './listener.ts';

export interface ChildStarterOptions {
  readonly kind: ProcessKind;
  /** Module that the child runs. */
  readonly entry: string;
  readonly log: Logger;
  /** The user to which the process drops. Only root can set one. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

/** setpriv(1) of util-linux, present on every Debian and Ubuntu. Node.js itself cannot set these attributes. */
const setpriv = '/usr/bin/setpriv';

/**
 * Neither the process nor its children can gain a privilege (prctl(2), PR_SET_NO_NEW_PRIVS). Of root's capabilities,
 * only the three remain that reading the code and changing the user require. Changing the user drops those too.
 */
const asRoot = [
  setpriv,
  '--no-new-privs',
  '--inh-caps=-all',
  '--bounding-set=-all,+setuid,+setgid,+dac_read_search',
  '--',
];
const asUnprivileged = [setpriv, '--no-new-privs', '--'];

export class ChildStarter implements ProcessStarter {
  readonly #options: ChildStarterOptions;

  constructor(options: ChildStarterOptions) {
    this.#options = options;
  }

  start(listener: Listener): Promise<ProcessRun> {
    const { kind, entry, log, user } = this.#options;
    const [program = '', ...args] = [
      ...(existsSync(setpriv) ? (user === undefined ? asUnprivileged : asRoot) : []),
      ...processCommand(entry),
      ...(user === undefined ? [] : [`--uid=${user.uid}`, `--gid=${user.gid}`]),
    ];
    const child = spawn(program, args, {
      // spawn accepts a handle, but its types do not say so.
      stdio: [listener.handle as 'inherit', 'pipe', 'pipe'],
      env: { ...processEnvironment, PATH: systemPath },
    });
    const output = child.stderr === null ? { last: '' } : logProcess(child.stderr, kind, log);
    const ended = new Promise<ProcessEnd>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal, lastLine: output.last }));
      child.once('error', (error) => resolve({ code: null, signal: null, lastLine: error.message }));
    });
    // spawn makes its pipes as socket pairs, which work in both directions.
    return Promise.resolve({
      channel: child.stdout as unknown as Duplex,
      ended,
      kill: () => void child.kill('SIGKILL'),
    });
  }
}
