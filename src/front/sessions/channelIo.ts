/** The streams of one command, over an SSH channel. */
import type { Connection, ServerChannel } from 'ssh2';
import { Failure } from '../../domain/failure.ts';
import { durationInWords } from '../../domain/values/duration.ts';
import type { CommandIo } from '../../commandLine/run.ts';
import { ChannelOutput } from './channelOutput.ts';
import { LineReader } from './lineReader.ts';

/** Input kept for a command that has not begun to read, in bytes. */
const maxBufferedBytes = 256 * 1024;

const ctrlC = 0x03;

export interface ChannelIoOptions {
  /** The width of the client's terminal; absent without one. */
  readonly columns?: number | undefined;
  /** How long standard input may take, in milliseconds. */
  readonly stdinMs: number;
  /** Called for a Ctrl-C on the terminal while no question is open. */
  readonly onInterrupt: () => void;
}

export class ChannelIo implements CommandIo {
  readonly terminal: boolean;
  readonly #channel: ServerChannel;
  readonly #output: ChannelOutput;
  readonly #stdinMs: number;
  readonly #onInterrupt: () => void;
  readonly #chunks: Buffer[] = [];
  readonly #lines: LineReader;
  #bytes = 0;
  /** What was typed up to a Ctrl-D, until it is read. */
  #typed: Buffer | undefined;
  #overflowed = false;
  #ended = false;
  #interrupted = false;
  #wake: (() => void) | undefined;

  /** Listens at once, because data may arrive in the same packet as the command. */
  constructor(connection: Connection, channel: ServerChannel, options: ChannelIoOptions) {
    this.#channel = channel;
    this.#output = new ChannelOutput(connection, channel);
    this.terminal = options.columns !== undefined;
    this.#stdinMs = options.stdinMs;
    this.#onInterrupt = options.onInterrupt;
    this.#lines = new LineReader({
      echo: (text) => this.#write(channel, text),
      columns: options.columns ?? 80,
      line: (text) => this.#keep(Buffer.from(text)),
      ended: () => this.#endTyped(),
      interrupted: () => {
        this.interrupt();
        options.onInterrupt();
      },
      hold: (held) => (held ? channel.pause() : channel.resume()),
    });
    channel.on('data', (data: Buffer) => this.#receive(data));
    channel.on('end', () => {
      // On a terminal the end of a pipe is a person's Ctrl-D, and the last line may have no end.
      if (this.terminal && !this.#ended) this.#lines.push(Buffer.from([0x04]));
      this.#lines.afterInput(() => this.#finish());
    });
    channel.on('close', () => this.#finish());
  }

  stdout(text: string): void {
    this.#write(this.#channel, text);
  }

  /**
   * Writes to standard error. On a terminal both streams go to standard output, because a client shows the channel's
   * standard error out of order and without carriage returns.
   */
  stderr(text: string): void {
    this.#write(this.terminal ? this.#channel : this.#channel.stderr, text);
  }

  async bytes(data: Buffer): Promise<void> {
    this.#output.write(this.#channel, data);
    await this.#output.flushed();
  }

  async readStdin(maxBytes: number): Promise<string> {
    const deadline = performance.now() + this.#stdinMs;
    while (!this.#ended && this.#typed === undefined) {
      if (this.#overflowed || this.#bytes > maxBytes) throw tooLarge(maxBytes);
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new Failure('missing-key', {
          what: 'standard input',
          why: `no end of input within ${durationInWords(this.#stdinMs)}`,
          next: 'close standard input after the key',
        });
      }
      await this.#inputChanged(left);
    }
    if (this.#interrupted)
      throw new Failure('cancelled', { what: 'standard input', why: 'it was interrupted; nothing was changed' });
    const input = this.#typed ?? Buffer.concat(this.#chunks);
    // A Ctrl-D ends this input only: the command may ask a question afterwards.
    this.#typed = undefined;
    if (this.#overflowed || input.length > maxBytes) throw tooLarge(maxBytes);
    return input.toString('utf8');
  }

  /** Reports whether any input comes within `ms` milliseconds, or before the end of input. */
  async receives(ms: number): Promise<boolean> {
    const deadline = performance.now() + ms;
    while (this.#bytes === 0 && !this.#ended) {
      const left = deadline - performance.now();
      if (left <= 0) break;
      await this.#inputChanged(left);
    }
    return this.#bytes > 0;
  }

  async ask(question: string): Promise<string> {
    // Input typed ahead counts as the answer, as on any terminal.
    const typed = this.#typed;
    this.#typed = undefined;
    const ahead = Buffer.concat([...(typed === undefined ? [] : [typed]), ...this.#chunks.splice(0)]).toString('utf8');
    this.#bytes = 0;
    const answer = this.#lines.ask(question, ahead);
    if (this.#ended || typed !== undefined) this.#lines.cancel();
    return answer;
  }

  /** Resolves when the connection has taken all output so far, or the channel is closed. */
  flushed(): Promise<void> {
    return this.#output.flushed();
  }

  /** Stops reading input, as Ctrl-C does: after a signal, or when the client is gone. */
  interrupt(): void {
    if (this.#ended) return;
    this.#interrupted = true;
    this.#finish();
  }

  #write(stream: ServerChannel | ServerChannel['stderr'], text: string): void {
    // No kernel terminal translates line feeds on an SSH channel.
    this.#output.write(stream, this.terminal ? text.replace(/\r?\n/g, '\r\n') : text);
  }

  #receive(data: Buffer): void {
    if (!this.terminal) this.#keep(data);
    else if (!this.#ended) this.#lines.push(data);
    // Nothing more is read, but a running change can still be left.
    else if (data.includes(ctrlC)) this.#onInterrupt();
  }

  #keep(data: Buffer): void {
    if (this.#bytes + data.length > maxBufferedBytes) {
      this.#overflowed = true;
      this.#chunks.length = 0;
    } else {
      this.#chunks.push(data);
    }
    this.#bytes += data.length;
    this.#wake?.();
  }

  /** Ends the input that is read, or that will be read next. A second Ctrl-D before that adds nothing to it. */
  #endTyped(): void {
    this.#typed ??= Buffer.concat(this.#chunks);
    this.#chunks.length = 0;
    this.#bytes = 0;
    this.#wake?.();
  }

  #finish(): void {
    this.#ended = true;
    this.#wake?.();
    this.#lines.cancel();
  }

  /** Resolves when input arrives or ends, and after `ms` at the latest. */
  #inputChanged(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
    });
  }
}

function tooLarge(maxBytes: number): Failure {
  return new Failure('input-too-large', {
    what: 'standard input',
    why: `it is longer than ${maxBytes} bytes`,
    next: 'send only what "help" says that the command reads',
  });
}
