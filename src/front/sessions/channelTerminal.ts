/** An SSH channel with a terminal at its other end, as the shell takes it. */
import type { Connection, ServerChannel } from 'ssh2';
import type { TerminalReceiver } from '../../domain/terminal.ts';
import type { TerminalPort } from '../../shell/terminal/port.ts';
import { ChannelOutput } from './channelOutput.ts';
import type { TerminalSize } from './terminalSize.ts';

export interface ChannelTerminalOptions {
  readonly connection: Connection;
  readonly channel: ServerChannel;
  readonly type: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly size: TerminalSize;
}

const endOfInput = Buffer.from([0x04]);

/**
 * How long a shell may take to leave at the end of its input, in milliseconds; after that nobody is at the terminal.
 */
const endOfInputMs = 3000;

/** More than this is left to the client before anybody listens, in bytes: core may take its time over a login. */
const maxEarlyBytes = 64 * 1024;

export class ChannelTerminal implements TerminalPort {
  readonly type: string;
  readonly environment: ReadonlyMap<string, string>;
  columns: number;
  rows: number;
  readonly #channel: ServerChannel;
  readonly #output: ChannelOutput;
  #receiver: TerminalReceiver | undefined;
  /** What came before anybody listened. */
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #isClosed = false;
  #isLeft = false;

  /** Listens at once: data may arrive in the same packet as the request. */
  constructor({ connection, channel, type, environment, size }: ChannelTerminalOptions) {
    this.type = type;
    this.environment = environment;
    this.columns = size.columns;
    this.rows = size.rows;
    this.#channel = channel;
    this.#output = new ChannelOutput(connection, channel);
    const receive = (data: Buffer): void => {
      if (this.#receiver !== undefined) return this.#receiver.input(data);
      this.#early.push(data);
      this.#earlyBytes += data.length;
      if (this.#earlyBytes > maxEarlyBytes && !this.#isLeft) channel.pause();
    };
    channel.on('data', receive);
    const closed = (): void => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      this.#receiver?.end();
    };
    // `ssh -tt` with a pipe for input: what was sent is a person's line, and its end is a person's Ctrl-D.
    channel.on('end', () => {
      if (this.#isClosed) return;
      receive(endOfInput);
      const late = setTimeout(closed, endOfInputMs);
      channel.once('close', () => clearTimeout(late));
    });
    channel.on('close', closed);
    channel.on('error', closed);
  }

  attach(receiver: TerminalReceiver): void {
    this.#receiver = receiver;
    if (this.#earlyBytes > maxEarlyBytes) this.#channel.resume();
    for (const data of this.#early.splice(0)) receiver.input(data);
    if (this.#isClosed) receiver.end();
  }

  write(data: string | Buffer): void {
    this.#output.write(this.#channel, data);
  }

  flushed(): Promise<void> {
    return this.#output.flushed();
  }

  /** ssh2 opens the channel's window again only by what was read. */
  hold(held: boolean): void {
    if (this.#isLeft) return;
    if (held) this.#channel.pause();
    else this.#channel.resume();
  }

  /** The client is gone. ssh2 tells the end of a channel only when all that came before it has been read. */
  left(): void {
    this.#isLeft = true;
    this.#channel.resume();
  }

  resize({ columns, rows }: TerminalSize): void {
    this.columns = columns;
    this.rows = rows;
    this.#receiver?.resize(columns, rows);
  }
}
