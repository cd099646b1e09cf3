/**
 * A front as a child of core: in a checkout, and wherever there is no systemd. It loads its code as whoever started
 * core, because a checkout may lie in a home that nobody else can look into, and is another user before it reads the
 * first byte from anybody.
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
  /** Who the front becomes. Only root can give it another user. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

/** setpriv(1), which is in util-linux and so on every Debian and Ubuntu: Node.js itself cannot set these. */
const setpriv = '/usr/bin/setpriv';

/**
 * Nothing that is started from here on gains a privilege (prctl(2), PR_SET_NO_NEW_PRIVS), and of root's capabilities
 * there are left the three that it takes to read the program and become somebody else, which ends them too.
 */
const asRoot = [
  setpriv,
  '--no-new-privs',
  '--inh-caps=-all',
  '--bounding-set=-all,+setuid,+setgid,+dac_read_search',
  '--',
];
const asAnybody = [setpriv, '--no-new-privs', '--'];

export class ChildFront implements FrontStarter {
  readonly #options: ChildFrontOptions;

  constructor(options: ChildFrontOptions) {
    this.#options = options;
  }

  start(listener: Listener): Promise<FrontRun> {
    const { entry, log, user } = this.#options;
    const [program = '', ...args] = [
      ...(existsSync(setpriv) ? (user === undefined ? asAnybody : asRoot) : []),
      ...frontCommand(entry, { channel: 3, listener: 4 }),
      ...(user === undefined ? [] : [`--uid=${user.uid}`, `--gid=${user.gid}`]),
    ];
    const child = spawn(program, args, {
      // Its types do not know that a handle will do.
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', listener.handle as 'inherit'],
      env: { ...frontEnvironment, PATH: process.env['PATH'] ?? '' },
    });
    const said = child.stderr === null ? { last: '' } : logFront(child.stderr, log);
    const ended = new Promise<FrontEnd>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal, said: said.last }));
      child.once('error', (error) => resolve({ code: null, signal: null, said: error.message }));
    });
    return Promise.resolve({ channel: child.stdio[3] as Duplex, ended, kill: () => void child.kill('SIGKILL') });
  }
}
