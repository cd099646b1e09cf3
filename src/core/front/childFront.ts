/**
 * Runs the front as a child of core: in a checkout, and on machines without systemd. The front loads its code as the
 * user who started core, because no other user may be able to read a checkout in a home directory. It drops to its own
 * user before it reads the first byte from a client.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { frontCommand, frontEnvironment, type FrontEnd, type FrontRun, type FrontStarter } from './frontStarter.ts';
import { logFront } from './frontLog.ts';
import type { Listener } from './listener.ts';

export interface ChildFrontOptions {
  /** Module that the child runs. */
  readonly entry: string;
  readonly log: Logger;
  /** The user to which the front drops. Only root can set one. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

/** setpriv(1) of util-linux, present on every Debian and Ubuntu. Node.js itself cannot set these attributes. */
const setpriv = '/usr/bin/setpriv';

/**
 * Neither the front nor its children can gain a privilege (prctl(2), PR_SET_NO_NEW_PRIVS). Of root's capabilities, only
 * the three remain that reading the code and changing the user require. Changing the user drops those too.
 */
const asRoot = [
  setpriv,
  '--no-new-privs',
  '--inh-caps=-all',
  '--bounding-set=-all,+setuid,+setgid,+dac_read_search',
  '--',
];
const asUnprivileged = [setpriv, '--no-new-privs', '--'];

export class ChildFront implements FrontStarter {
  readonly #options: ChildFrontOptions;

  constructor(options: ChildFrontOptions) {
    this.#options = options;
  }

  start(listener: Listener): Promise<FrontRun> {
    const { entry, log, user } = this.#options;
    const [program = '', ...args] = [
      ...(existsSync(setpriv) ? (user === undefined ? asUnprivileged : asRoot) : []),
      ...frontCommand(entry, { channel: 3, listener: 4 }),
      ...(user === undefined ? [] : [`--uid=${user.uid}`, `--gid=${user.gid}`]),
    ];
    const child = spawn(program, args, {
      // spawn accepts a handle, but its types do not say so.
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', listener.handle as 'inherit'],
      env: { ...frontEnvironment, PATH: process.env['PATH'] ?? '' },
    });
    const output = child.stderr === null ? { last: '' } : logFront(child.stderr, log);
    const ended = new Promise<FrontEnd>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal, lastLine: output.last }));
      child.once('error', (error) => resolve({ code: null, signal: null, lastLine: error.message }));
    });
    return Promise.resolve({ channel: child.stdio[3] as Duplex, ended, kill: () => void child.kill('SIGKILL') });
  }
}
