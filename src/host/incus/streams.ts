/** What is needed of Incus besides running programs to their end: news of its instances, and terminals inside them. */
import { followEvents } from './lifecycleEvents.ts';
import type { EventListener, LifecycleEvent } from './lifecycleEvents.ts';
import { openTerminal } from './exec.ts';
import { incusSocketPath } from './socket.ts';
import type { Pulse } from './socket.ts';
import type { HostTerminal, TerminalRequest } from './terminal.ts';

export type { EventListener, HostTerminal, LifecycleEvent, TerminalRequest };

export interface IncusStreams {
  /**
   * Follows what happens to instances until it is aborted; then it resolves. Rejects with `incus-unavailable` when the
   * stream cannot be opened, ends by itself, or stands still: events may have been missed then, so follow again and
   * list again.
   *
   * Incus sends each event by itself, so that two of the same moment may come in any order: take an event as a reason
   * to look again, not for what is now.
   */
  events(listener: EventListener, signal: AbortSignal): Promise<void>;
  /**
   * Starts a program in a terminal inside a running instance, as root. Rejects with `not-found` or `wrong-state` (the
   * instance), `program-missing`, `program-failed` (Incus refuses it), `timeout` or `incus-unavailable` (Incus does not
   * answer).
   */
  terminal(request: TerminalRequest): Promise<HostTerminal>;
}

/** In milliseconds. */
export interface StreamLimits {
  /** How long Incus may take for each step of opening a stream. */
  readonly openMs: number;
  /**
   * How long a program that prints nothing is waited for before it is taken to have started; and a stream of events
   * before it tells anything.
   */
  readonly beginMs: number;
  /** How long a program may take to end after it was told to hang up. */
  readonly closeMs: number;
  /** A connection is lost when it misses this many signs of life in a row. */
  readonly pulse: Pulse;
}

export const defaultStreamLimits: StreamLimits = {
  openMs: 10_000,
  beginMs: 500,
  closeMs: 1000,
  pulse: { everyMs: 10_000, missed: 3 },
};

/** The streams of a real Incus. */
export class SocketStreams implements IncusStreams {
  readonly #socketPath: string;
  readonly #limits: StreamLimits;

  /** Without a socket path it is the one of this process's environment. */
  constructor(socketPath: string = incusSocketPath(process.env), limits: StreamLimits = defaultStreamLimits) {
    this.#socketPath = socketPath;
    this.#limits = limits;
  }

  events(listener: EventListener, signal: AbortSignal): Promise<void> {
    return followEvents(this.#socketPath, this.#limits, listener, signal);
  }

  terminal(request: TerminalRequest): Promise<HostTerminal> {
    return openTerminal(this.#socketPath, this.#limits, request);
  }
}
