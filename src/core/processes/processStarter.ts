/**
 * Starts and kills a process that serves clients: as a child of core (childStarter.ts) or as a systemd unit
 * (unitStarter.ts).
 */
import type { Duplex } from 'node:stream';
import { frontAccount, remoteAccount } from '../../host/accounts.ts';
import type { Listener } from './listener.ts';

/** A kind of process: the front or the remote process. */
export interface ProcessKind {
  readonly name: 'front' | 'remote';
  /** Its name in a sentence. */
  readonly label: string;
  /** What the systemd unit says that it is. */
  readonly description: string;
  /** The systemd unit. */
  readonly unit: string;
  /** The system user. */
  readonly account: string;
}

export const frontKind: ProcessKind = {
  name: 'front',
  label: 'the front',
  description: "Containarium's SSH server",
  unit: 'containarium-front.service',
  account: frontAccount,
};

export const remoteKind: ProcessKind = {
  name: 'remote',
  label: 'the remote process',
  description: "Containarium's remote interface",
  unit: 'containarium-remote.service',
  account: remoteAccount,
};

export interface ProcessStarter {
  /** Starts a process. Rejects if the attempt itself fails; if the program fails to start, the run ends at once. */
  start(listener: Listener): Promise<ProcessRun>;
}

/** One process, from its start to its end. */
export interface ProcessRun {
  /** core's end of the protocol. Only this process has the other end. */
  readonly channel: Duplex;
  /** Resolves when the process has ended; never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Kills the process, even if it hangs. It may live on until `ended` resolves. */
  kill(): void;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last line that it wrote on standard error, or ''. */
  readonly lastLine: string;
}

/**
 * Flags that keep the process small. With V8's default young generation (twice 16 MB), the garbage of a connection is
 * promoted before it is dead, and thousands of connections let the process grow to twice the size at the same CPU time.
 * A full collection starts when the heap has grown by a fifth, not by its own size (`npm run bench:shell`, the rounds
 * of connects).
 */
export const processV8Flags = ['--max-semi-space-size=2', '--heap-growing-percent=20'];

/**
 * The descriptors under which a process inherits the bound port and the protocol. systemd-run(1) passes on no others. A
 * child has the same ones, so that what works in a checkout works in the installed service.
 */
const descriptors = { listener: 0, channel: 1 };

/** Returns the command line of a process that inherits the two sockets. */
export function processCommand(entry: string): string[] {
  // The port of core's inspector (node(1): SIGUSR1 opens it) is passed on to the process; --inspect-port=0 gives each
  // process its own.
  const inspector = process.execArgv.filter((flag) => flag.startsWith('--inspect-port='));
  const sockets = Object.entries(descriptors).map(([name, descriptor]) => `--${name}=${descriptor}`);
  return [process.execPath, ...processV8Flags, ...inspector, entry, ...sockets];
}

export const processEnvironment = { NODE_ENV: 'production', FORCE_COLOR: '3', NO_DEPRECATION: '1' } as const;
