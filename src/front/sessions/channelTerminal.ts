/** The client's terminal behind an SSH channel, as a shell uses it. */
import type { Connection, ServerChannel } from 'ssh2';
import type { TerminalReceiver } from '../../domain/terminal.ts';
import type { TerminalPort } from '../../shell/terminal/port.ts';
import { shareOf, type ClientShare } from '../transport/clientShare.ts';
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
const interrupt = Buffer.from([0x03]);

/**
 * Input kept before a shell is attached, in bytes. The client holds the rest, as core may be slow to answer a login.
 */
const maxEarlyBytes = 64 * 1024;

export class ChannelTerminal implements TerminalPort {
  readonly type: string;
  readonly environment: ReadonlyMap<string, string>;
  columns: number;
  rows: number;
  readonly #channel: ServerChannel;
  readonly #output: ChannelOutput;
  readonly #share: ClientShare;
  #receiver: TerminalReceiver | undefined;
  /** Input from before a shell is attached. */
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #isClosed = false;
  #hasInputEnded = false;
  #isDisconnected = false;

  /** Listens at once, because data may arrive in the same packet as the request. */
  constructor({ connection, channel, type, environment, size }: ChannelTerminalOptions) {
    this.type = type;
    this.environment = environment;
    this.columns = size.columns;
    this.rows = size.rows;
    this.#channel = channel;
    this.#output = new ChannelOutput(connection, channel);
    this.#share = shareOf(connection);
    channel.on('data', (data: Buffer) => this.#receive(data));
    // `ssh -tt … < file`: the input is a person's typing, and its end is a person's Ctrl-D.
    channel.on('end', () => {
      if (this.#isClosed) return;
      this.#hasInputEnded = true;
      this.#receive(endOfInput);
    });
    channel.on('close', () => this.hangUp());
    channel.on('error', () => this.hangUp());
  }

  get hasInputEnded(): boolean {
    return this.#hasInputEnded;
  }

  /** Ends the terminal for its receiver, as when the client is gone. */
  hangUp(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#receiver?.end();
  }

  /** Types Ctrl-C. */
  interrupt(): void {
    if (!this.#isClosed) this.#receive(interrupt);
  }

  #receive(data: Buffer): void {
    if (this.#receiver !== undefined) return this.#receiver.input(data);
    this.#early.push(data);
    this.#earlyBytes += data.length;
    if (this.#earlyBytes > maxEarlyBytes && !this.#isDisconnected) this.#channel.pause();
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

  spend(ms: number): void {
    this.#share.spend(ms);
  }

  later(act: () => void): () => void {
    return this.#share.later(act);
  }

  /** Pauses or resumes the client's input. ssh2 reopens the channel's window only by what has been read. */
  hold(held: boolean): void {
    if (this.#isDisconnected) return;
    if (held) this.#channel.pause();
    else this.#channel.resume();
  }

  /** Reads the rest of the input after the client is gone. Only then does ssh2 report the end of the channel. */
  disconnected(): void {
    this.#isDisconnected = true;
    this.#channel.resume();
  }

  resize({ columns, rows }: TerminalSize): void {
    this.columns = columns;
    this.rows = rows;
    this.#receiver?.resize(columns, rows);
  }
}
