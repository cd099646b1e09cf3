/**
 * A terminal inside a container, once it is open: the two websockets of Incus's exec, and the operation that knows how
 * it ended.
 */
import { WebSocket } from 'ws';
import type { Failure } from '../../domain/failure.ts';
import { isFailure } from '../../domain/failure.ts';
import { unavailable, watchPulse } from './socket.ts';
import type { Pulse } from './socket.ts';
import { TerminalOutput } from './terminalOutput.ts';

export interface TerminalRequest {
  readonly instance: string;
  /** The program and its arguments: there is no shell unless it is one. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Both in characters, 1 to 65535. */
  readonly columns: number;
  readonly rows: number;
}

export interface HostTerminal {
  /**
   * What was typed. `false` when much of it is not taken yet: write no more until {@link onDrain}. It is dropped when
   * the program has ended, and when very much of it is not taken.
   */
  write(data: Buffer): boolean;
  /** Called each time when everything that was written is taken, after {@link write} said `false`. */
  onDrain(listener: () => void): void;
  resize(columns: number, rows: number): void;
  /** Sets the one listener for what the program prints. Until then the program is held back. */
  onData(listener: (data: Buffer) => void): void;
  /** Holds the program back: nothing more is given to the listener, and little is kept. */
  pause(): void;
  resume(): void;
  /**
   * The program's own exit status, 128 + n where signal n ended it, after the listener was given all it had printed.
   * Rejects when that cannot be known: `incus-unavailable` (the connection is lost), `program-missing`,
   * `program-failed`.
   */
  readonly exit: Promise<number>;
  /**
   * Ends the program, which is told to hang up and is killed if it does not; what it prints from now on is dropped.
   * Safe to repeat.
   */
  close(): void;
}

export interface TerminalLimits {
  /**
   * How long the program may take to end after it was told to hang up, in milliseconds; and then, how long to tell us.
   */
  readonly closeMs: number;
  readonly pulse: Pulse;
}

/** How an exec ended, as its operation says. */
export interface ExecResult {
  /** `undefined` where Incus says that it could not start the program. */
  readonly exitStatus: number | undefined;
  /** Incus's own error; empty for none. */
  readonly error: string;
}

export interface TerminalParts {
  readonly data: WebSocket;
  readonly control: WebSocket;
  /** Rejects when it cannot be known. */
  readonly result: Promise<ExecResult>;
  /** Gives up waiting for the result, which then rejects with this. */
  giveUp(reason: Failure): void;
  /**
   * The program's exit status, or a failure thrown where it was not started. `hasPrinted`: whether it has printed
   * anything.
   */
  exitStatus(result: ExecResult, hasPrinted: boolean): number;
}

/** More than this of what was typed waits for the program, in bytes, before {@link HostTerminal.write} says so. */
const typedAheadBytes = 256 * 1024;

/**
 * More than this is dropped, in bytes: what was on its way when the caller was told to wait fits in it several times
 * (an SSH channel's window is 2 MiB).
 */
const maxTypedBytes = 8 * 1024 * 1024;

const hangUp = 1;

export class IncusTerminal implements HostTerminal {
  readonly exit: Promise<number>;
  readonly #parts: TerminalParts;
  readonly #limits: TerminalLimits;
  readonly #output: TerminalOutput;
  /** Settled when the program has printed something, or was silent for long enough. */
  readonly #sign = Promise.withResolvers<undefined>();
  #hasPrinted = false;
  /** Incus has said that the output ends here, so that nothing of it is lost. */
  #isWhole = false;
  #isClosing = false;
  #isEnded = false;
  #isFull = false;
  #onDrain: () => void = () => undefined;

  /**
   * Of websockets that are not open yet: what comes first must not be missed. Call {@link begin} when they are open.
   */
  constructor(parts: TerminalParts, limits: TerminalLimits) {
    this.#parts = parts;
    this.#limits = limits;
    const { data } = parts;
    this.#output = new TerminalOutput(data);
    data.on('message', (piece: Buffer, isBinary: boolean) => (isBinary ? this.#take(piece) : this.#finish()));
    data.once('close', () => this.#breakOff());
    this.exit = this.#end();
    // Whoever does not ask how it ended need not hear of it.
    this.exit.catch(() => undefined);
  }

  /**
   * Waits until the program has printed something or has ended, at most `limitMs`: one that cannot be started at all is
   * told of here.
   */
  async begin(limitMs: number): Promise<void> {
    watchPulse(this.#parts.control, this.#limits.pulse, () =>
      this.#parts.giveUp(unavailable('its server stands still')),
    );
    const timer = setTimeout(() => this.#sign.resolve(undefined), limitMs);
    try {
      await Promise.race([this.#sign.promise, this.exit]);
    } finally {
      clearTimeout(timer);
    }
  }

  #take(piece: Buffer): void {
    this.#hasPrinted = true;
    this.#sign.resolve(undefined);
    this.#output.add(piece);
  }

  /** Incus marks the end of the output with a text message, and waits until this side has ended too. */
  #finish(): void {
    this.#isWhole = true;
    this.#output.complete();
    this.#parts.data.close(1000);
  }

  #breakOff(): void {
    this.#output.complete();
    if (this.#isWhole || this.#isClosing || this.#isEnded) return;
    // The operation may know why: it is given a moment.
    const timer = setTimeout(
      () => this.#parts.giveUp(unavailable('the connection to the terminal is lost')),
      this.#limits.closeMs,
    );
    void this.exit.catch(() => undefined).finally(() => clearTimeout(timer));
  }

  async #end(): Promise<number> {
    try {
      const result = await this.#parts.result;
      const exitStatus = this.#parts.exitStatus(result, this.#hasPrinted);
      await this.#output.ended;
      if (!this.#isWhole && !this.#isClosing) throw unavailable('the connection to the terminal is lost');
      return exitStatus;
    } catch (error) {
      this.#output.discard();
      throw isFailure(error) ? error : unavailable('the connection to the terminal is lost', error);
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
    if (socket.bufferedAmount > typedAheadBytes) this.#isFull = true;
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
    // A shell that hangs up tells its jobs too; killed, it could not.
    this.#control({ command: 'signal', signal: hangUp });
    this.#parts.data.terminate();
    const timers = [
      // Incus kills the program when it loses this websocket.
      setTimeout(() => this.#parts.control.terminate(), this.#limits.closeMs),
      setTimeout(
        () => this.#parts.giveUp(unavailable('its server did not say how the program ended')),
        this.#limits.closeMs * 3,
      ),
    ];
    void this.exit.catch(() => undefined).finally(() => timers.forEach((timer) => clearTimeout(timer)));
  }
}

/** A width or height that a terminal can have: the kernel keeps 16 bits. */
export function characters(count: number): number {
  return Number.isFinite(count) ? Math.min(65_535, Math.max(1, Math.trunc(count))) : 1;
}
