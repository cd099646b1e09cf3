/**
 * Runs a process as a child of core: in a checkout, and on machines without systemd. The process loads its code as the
 * user who started core, because no other user may be able to read a checkout in a home directory. It drops to its own
 * user before it reads the first byte from a client.
 */
import { existsSync } from 'node:fs';
import type { Logger } from 'pino';
import { systemPath } from '../../domain/systemPath.ts';
import {
  processCommand,
  processEnvironment,
  type ProcessKind,
  type ProcessRun,
  type ProcessStarter,
} from './processStarter.ts';
import { spawnProcess } from './spawnedProcess.ts';
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
    const command = [
      ...(existsSync(setpriv) ? (user === undefined ? asUnprivileged : asRoot) : []),
      ...processCommand(entry),
      ...(user === undefined ? [] : [`--uid=${user.uid}`, `--gid=${user.gid}`]),
    ];
    const env = { ...processEnvironment, PATH: systemPath };
    const { child, channel, ended } = spawnProcess(command, { kind, listener, log, env });
    return Promise.resolve({ channel, ended, kill: () => void child.kill('SIGKILL') });
  }
}
