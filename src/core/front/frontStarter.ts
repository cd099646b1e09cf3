/** Starts and kills a front: as a child of core (childFront.ts) or as a systemd unit (unitFront.ts). */
import type { Duplex } from 'node:stream';
import type { Listener } from './listener.ts';

export interface FrontStarter {
  /** Starts a front. Rejects if the attempt itself fails; if the program fails to start, the run ends at once. */
  start(listener: Listener): Promise<FrontRun>;
}

/** One front, from its start to its end. */
export interface FrontRun {
  /** core's end of the protocol. Only this front has the other end. */
  readonly channel: Duplex;
  /** Resolves when the front has ended; never rejects. */
  readonly ended: Promise<FrontEnd>;
  /** Kills the front, even if it hangs. It may live on until `ended` resolves. */
  kill(): void;
}

export interface FrontEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last line that it wrote on standard error, or ''. */
  readonly lastLine: string;
}

/**
 * Flags that keep the front small. With V8's default young generation (twice 16 MB), the garbage of a connection is
 * promoted before it is dead, and thousands of connections let the process grow to twice the size at the same CPU time.
 * A full collection starts when the heap has grown by a fifth, not by its own size (`npm run bench:shell`, the rounds
 * of connects).
 */
export const frontV8Flags = ['--max-semi-space-size=2', '--heap-growing-percent=20'];

export interface Descriptors {
  readonly channel: number;
  readonly listener: number;
}

/** Returns the command line of a front (src/front/main.ts) that inherits the two sockets at these descriptors. */
export function frontCommand(entry: string, { channel, listener }: Descriptors): string[] {
  // The port of core's inspector (node(1): SIGUSR1 opens it) is passed on to the front; --inspect-port=0 gives each
  // process its own.
  const inspector = process.execArgv.filter((flag) => flag.startsWith('--inspect-port='));
  return [process.execPath, ...frontV8Flags, ...inspector, entry, `--channel=${channel}`, `--listener=${listener}`];
}

export const frontEnvironment = { NODE_ENV: 'production', FORCE_COLOR: '3', NO_DEPRECATION: '1' } as const;
