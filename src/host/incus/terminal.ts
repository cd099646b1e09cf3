/**
 * A terminal in a container: the two websockets of Incus's exec, and the operation that reports how the program ended.
 */
import { WebSocket } from 'ws';
import type { Failure } from '../../domain/failure.ts';
import { isFailure } from '../../domain/failure.ts';
import { sendKeepalives, unavailable } from './socket.ts';
import type { Keepalive } from './socket.ts';
import { TerminalOutput } from './terminalOutput.ts';

export interface TerminalRequest {
  readonly instance: string;
  /** The program and its arguments; no shell is involved. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The size, in characters, 1 to 65535 each. */
  readonly columns: number;
  readonly rows: number;
}

export interface HostTerminal {
  /**
   * Sends typed data to the program. Returns `false` if much of it is unread: write no more until {@link onDrain}. Data
   * is dropped after the program has ended, and when the backlog is full.
   */
  write(data: Buffer): boolean;
  /** Sets the one listener that is called when all data has been read after {@link write} returned `false`. */
  onDrain(listener: () => void): void;
  resize(columns: number, rows: number): void;
  /** Sets the one listener for the program's output. Until then the output is held back. */
  onData(listener: (data: Buffer) => void): void;
  /** Holds the output back. Little of it is buffered, so the program blocks when it prints more. */
  pause(): void;
  resume(): void;
  /**
   * Resolves with the program's exit status (128 + n after signal n) once the listener has received all output. Rejects
   * if the status is unknown: `incus-unavailable` (connection lost), `program-missing`, `program-failed`.
   */
  readonly exit: Promise<number>;
  /**
   * Ends the program: sends SIGHUP and kills it if that does not help. Its further output is dropped. Safe to repeat.
   */
  close(): void;
}

export interface TerminalLimits {
  /** How long the program may take to end after SIGHUP, in milliseconds. Incus gets twice as long to report it. */
  readonly closeMs: number;
  readonly keepalive: Keepalive;
}

/** How an exec ended, as its operation reports it. */
export interface ExecResult {
  /** `undefined` if Incus could not start the program. */
  readonly exitStatus: number | undefined;
  /** Incus's own error; empty for none. */
  readonly error: string;
}

export interface TerminalParts {
  readonly data: WebSocket;
  readonly control: WebSocket;
  /** Rejects if the result is unknown. */
  readonly result: Promise<ExecResult>;
  /** Stops waiting for the result, which then rejects with `reason`. */
  abandon(reason: Failure): void;
  /**
   * Returns the program's exit status. Throws a failure if the program was not started. `hasPrinted` is whether it has
   * printed anything.
   */
  exitStatus(result: ExecResult, hasPrinted: boolean): number;
}

/** Unread typed data at which {@link HostTerminal.write} returns `false`, in bytes. */
const typedHighWaterBytes = 256 * 1024;

/**
 * Maximum unread typed data, in bytes; more is dropped. The data in flight when the caller is told to wait fits in it
 * several times (an SSH channel's window is 2 MiB).
 */
const maxTypedBytes = 8 * 1024 * 1024;

const sighup = 1;

export class IncusTerminal implements HostTerminal {
  readonly exit: Promise<number>;
  readonly #parts: TerminalParts;
  readonly #limits: TerminalLimits;
  readonly #output: TerminalOutput;
  /** Resolves when the program counts as started: it has printed something, or was silent for long enough. */
  readonly #started = Promise.withResolvers<undefined>();
  #hasPrinted = false;
  /** Whether Incus has marked the end of the output, so that none of it is lost. */
  #isWhole = false;
  #isClosing = false;
  #isEnded = false;
  #isFull = false;
  #onDrain: () => void = () => undefined;

  /** Takes websockets that are not open yet, so that no data is missed. Call {@link begin} when they are open. */
  constructor(parts: TerminalParts, limits: TerminalLimits) {
    this.#parts = parts;
    this.#limits = limits;
    const { data } = parts;
    this.#output = new TerminalOutput(data);
    data.on('message', (piece: Buffer, isBinary: boolean) => (isBinary ? this.#take(piece) : this.#finish()));
    data.once('close', () => this.#connectionLost());
    this.exit = this.#end();
    // A caller that ignores `exit` must not cause an unhandled rejection.
    this.exit.catch(() => undefined);
  }

  /**
   * Waits until the program has printed something or has ended, for at most `limitMs`. Rejects if the program could not
   * be started.
   */
  async begin(limitMs: number): Promise<void> {
    sendKeepalives(this.#parts.control, this.#limits.keepalive, () =>
      this.#parts.abandon(unavailable('its server stopped responding')),
    );
    const timer = setTimeout(() => this.#started.resolve(undefined), limitMs);
    try {
      await Promise.race([this.#started.promise, this.exit]);
    } finally {
      clearTimeout(timer);
    }
  }

  #take(piece: Buffer): void {
    this.#hasPrinted = true;
    this.#started.resolve(undefined);
    this.#output.add(piece);
  }

  /** Incus marks the end of the output with a text message, and waits until this side has ended too. */
  #finish(): void {
    this.#isWhole = true;
    this.#output.complete();
    this.#parts.data.close(1000);
  }

  #connectionLost(): void {
    this.#output.complete();
    if (this.#isWhole || this.#isClosing || this.#isEnded) return;
    // The operation may report the reason, so give it a moment.
    const timer = setTimeout(
      () => this.#parts.abandon(unavailable('lost the connection to the terminal')),
      this.#limits.closeMs,
    );
    void this.exit.catch(() => undefined).finally(() => clearTimeout(timer));
  }

  async #end(): Promise<number> {
    try {
      const result = await this.#parts.result;
      const exitStatus = this.#parts.exitStatus(result, this.#hasPrinted);
      await this.#output.ended;
      if (!this.#isWhole && !this.#isClosing) throw unavailable('lost the connection to the terminal');
      return exitStatus;
    } catch (error) {
      this.#output.discard();
      throw isFailure(error) ? error : unavailable('lost the connection to the terminal', error);
    } finally {
      this.#isEnded = true;
      this.#parts.control.terminate();
      this.#parts.data.terminate();
    }
  }

  write(data: Buffer): boolean {
    const socket = this.#parts.data;
    if (this.#isEnded || this.#isClosing || socket.readyState !== WebSocket.OPEN) return true;
    if (socket.bufferedAmount > maxTypedBytes) return false;
    socket.send(data, { binary: true }, () => this.#drained());
    if (socket.bufferedAmount > typedHighWaterBytes) this.#isFull = true;
    return !this.#isFull;
  }

  #drained(): void {
    if (!this.#isFull || this.#parts.data.bufferedAmount > 0) return;
    this.#isFull = false;
    this.#onDrain();
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  resize(columns: number, rows: number): void {
    this.#control({
      command: 'window-resize',
      args: { width: String(characters(columns)), height: String(characters(rows)) },
    });
  }

  #control(message: Readonly<Record<string, unknown>>): void {
    const { control } = this.#parts;
    if (control.readyState === WebSocket.OPEN) control.send(JSON.stringify(message));
  }

  onData(listener: (data: Buffer) => void): void {
    this.#output.listen(listener);
  }

  pause(): void {
    this.#output.pause();
  }

  resume(): void {
    this.#output.resume();
  }

  close(): void {
    if (this.#isClosing || this.#isEnded) return;
    this.#isClosing = true;
    this.#output.discard();
    // On SIGHUP a shell hangs up its jobs too; killed, it could not.
    this.#control({ command: 'signal', signal: sighup });
    this.#parts.data.terminate();
    const timers = [
      // Incus kills the program when it loses this websocket.
      setTimeout(() => this.#parts.control.terminate(), this.#limits.closeMs),
      setTimeout(
        () => this.#parts.abandon(unavailable('its server did not report how the program ended')),
        this.#limits.closeMs * 3,
      ),
    ];
    void this.exit.catch(() => undefined).finally(() => timers.forEach((timer) => clearTimeout(timer)));
  }
}

/** Clamps a width or height to what a terminal can have: the kernel stores 16 bits. */
export function characters(count: number): number {
  return Number.isFinite(count) ? Math.min(65_535, Math.max(1, Math.trunc(count))) : 1;
}
