/**
 * How a front is started and ended. There are two ways: a child of core (childFront.ts), and a unit of systemd's
 * (unitFront.ts).
 */
import type { Duplex } from 'node:stream';
import type { Listener } from './listener.ts';

export interface FrontStarter {
  /** Rejects where it cannot even be tried; a program that does not start is a run that ends. */
  start(listener: Listener): Promise<FrontRun>;
}

/** One front, from its start to its end. */
export interface FrontRun {
  /** core's end of the protocol. The other end exists once, in that front. */
  readonly channel: Duplex;
  /** Resolves when it is gone; never rejects. */
  readonly ended: Promise<FrontEnd>;
  /** Ends it for certain, also one that stands still. It is gone when `ended` says so. */
  kill(): void;
}

export interface FrontEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** What it said last on standard error; empty where it said nothing. */
  readonly said: string;
}

/**
 * A small young generation: with V8's own (16 MB twice) what one connection leaves behind is promoted in bulk before it
 * is dead, and thousands of connects let the process grow to twice the size, at the same CPU. And garbage is collected
 * when the heap has grown by a fifth, not by as much again (`npm run bench:shell`, the rounds of connects).
 */
export const frontV8Flags = ['--max-semi-space-size=2', '--heap-growing-percent=20'];

export interface Descriptors {
  readonly channel: number;
  readonly listener: number;
}

/** The command line of a front (src/front/main.ts) that finds the two sockets at these file descriptors. */
export function frontCommand(entry: string, { channel, listener }: Descriptors): string[] {
  // Whoever said where core's inspector may listen (node(1): SIGUSR1 opens it) means the front's too: both cannot have
  // one port.
  const inspector = process.execArgv.filter((flag) => flag.startsWith('--inspect-port='));
  return [process.execPath, ...frontV8Flags, ...inspector, entry, `--channel=${channel}`, `--listener=${listener}`];
}

export const frontEnvironment = { NODE_ENV: 'production', FORCE_COLOR: '3', NO_DEPRECATION: '1' } as const;
