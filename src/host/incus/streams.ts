/** The streams of Incus: the events of its instances, terminals in them, and backups of them. */
import type { Readable } from 'node:stream';
import { createFromBackup, freeForBackups, readBackup, type InstanceFromBackup } from './backupStreams.ts';
import { followEvents } from './lifecycleEvents.ts';
import type { EventListener, LifecycleEvent } from './lifecycleEvents.ts';
import { openTerminal } from './exec.ts';
import { incusSocketPath } from './socket.ts';
import type { Keepalive } from './socket.ts';
import type { HostTerminal, TerminalRequest } from './terminal.ts';

export type { EventListener, HostTerminal, InstanceFromBackup, LifecycleEvent, TerminalRequest };

export interface IncusStreams {
  /**
   * Follows the events of instances and resolves when aborted. Rejects with `incus-unavailable` if the stream cannot be
   * opened, ends, or stops responding. Events may then have been missed, so follow and list again.
   *
   * Incus sends each event independently, so simultaneous events may arrive in any order. Treat an event as a reason to
   * list again, not as the present state.
   */
  events(listener: EventListener, signal: AbortSignal): Promise<void>;
  /**
   * Starts a program in a terminal of a running instance, as root. Rejects with `not-found` or `wrong-state` (the
   * instance), `program-missing`, `program-failed` (Incus refused), or `timeout` or `incus-unavailable` (Incus did not
   * answer).
   */
  terminal(request: TerminalRequest): Promise<HostTerminal>;
  /**
   * Opens the compressed tar archive of a backup that Incus has made. Rejects with `not-found`, `program-failed` (Incus
   * refused) or `incus-unavailable`.
   */
  readBackup(instance: string, backup: string): Promise<Readable>;
  /**
   * Makes a stopped instance of the archive of a backup, with the configuration that the archive has. Rejects with the
   * failure of its source, with `program-failed` (Incus refused), `timeout` or `incus-unavailable`.
   */
  createFromBackup(wanted: InstanceFromBackup): Promise<void>;
  /** Returns the free space of the disk where Incus writes backups; undefined if that is not known. */
  freeForBackups(): Promise<number | undefined>;
}

/** In milliseconds. */
export interface StreamLimits {
  /** How long Incus may take for each step of opening a stream. */
  readonly openMs: number;
  /**
   * How long a program may print nothing before it counts as started, and an event stream may stay silent before it
   * counts as open.
   */
  readonly beginMs: number;
  /** How long a program may take to end after SIGHUP. */
  readonly closeMs: number;
  /** When a connection that no longer answers counts as lost. */
  readonly keepalive: Keepalive;
}

export const defaultStreamLimits: StreamLimits = {
  openMs: 10_000,
  beginMs: 500,
  closeMs: 3000,
  keepalive: { intervalMs: 10_000, maxMissed: 3 },
};

/** The streams of a real Incus. */
export class SocketStreams implements IncusStreams {
  readonly #socketPath: string;
  readonly #limits: StreamLimits;

  /** The default socket path comes from this process's environment. */
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

  readBackup(instance: string, backup: string): Promise<Readable> {
    return readBackup(this.#socketPath, instance, backup);
  }

  createFromBackup(wanted: InstanceFromBackup): Promise<void> {
    return createFromBackup(this.#socketPath, wanted);
  }

  freeForBackups(): Promise<number | undefined> {
    return freeForBackups(this.#socketPath);
  }
}
