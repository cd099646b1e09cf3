/** The terminal of a caller at the other end of a connection. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { CallerTerminal, TerminalReceiver } from '../../domain/terminal.ts';
import { notify } from '../../protocol/connection.ts';
import { messages, type CallRequest } from '../../protocol/messages.ts';

/** Input before a program is attached from which on the caller is asked to hold back the rest, in bytes. */
const maxTypedAheadBytes = 64 * 1024;

/**
 * Input on its way when the caller is asked: an SSH channel's window of 2 MiB, twice. A caller that sends more is
 * ended.
 */
const maxInFlightBytes = 4 * 1024 * 1024;

export class RemoteTerminal implements CallerTerminal {
  readonly type: string;
  columns: number;
  rows: number;
  readonly login: string;
  readonly #connection: MessageConnection;
  readonly #id: string;
  #ahead: Buffer[] = [];
  #aheadBytes = 0;
  #receiver: TerminalReceiver | undefined;
  /** Whether the program asks the caller to hold back input. */
  #isHeldByProgram = false;
  /** What the caller was told. */
  #held = false;
  #ended = false;

  constructor(
    connection: MessageConnection,
    { id, login }: CallRequest,
    { columns, rows, type }: NonNullable<CallRequest['terminal']>,
  ) {
    this.login = login;
    this.#connection = connection;
    this.#id = id;
    this.columns = columns;
    this.rows = rows;
    this.type = type;
  }

  attach(receiver: TerminalReceiver): void {
    this.#receiver = receiver;
    for (const data of this.#ahead.splice(0)) receiver.input(data);
    this.#aheadBytes = 0;
    this.#tell();
    if (this.#ended) receiver.end();
  }

  async output(data: Buffer): Promise<void> {
    if (this.#ended) return;
    await this.#connection.sendRequest(messages.terminalOutput, { id: this.#id, data: data.toString('base64') });
  }

  hold(held: boolean): void {
    this.#isHeldByProgram = held;
    this.#tell();
  }

  input(data: Buffer): void {
    if (this.#receiver !== undefined) return this.#receiver.input(data);
    if (this.#ended) return;
    this.#aheadBytes += data.length;
    if (this.#aheadBytes > maxInFlightBytes) return this.end();
    this.#ahead.push(data);
    this.#tell();
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.#receiver?.resize(columns, rows);
  }

  /** Ends the terminal when its caller is gone, so that no program continues unseen. */
  end(): void {
    this.#ended = true;
    this.#ahead.length = 0;
    this.#receiver?.end();
  }

  #tell(): void {
    const held = this.#isHeldByProgram || this.#aheadBytes > maxTypedAheadBytes;
    if (this.#held === held || this.#ended) return;
    this.#held = held;
    notify(this.#connection, messages.terminalHold, { id: this.#id, held });
  }
}
