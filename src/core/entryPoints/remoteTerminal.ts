/** The terminal of a caller at the other end of a connection. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { CallerTerminal, TerminalReceiver } from '../../domain/terminal.ts';
import { notify } from '../../protocol/connection.ts';
import { messages, type CallRequest } from '../../protocol/messages.ts';

/** Limit of input that arrives before a program is attached, in bytes. More is dropped, as a terminal driver does. */
const maxTypedAheadBytes = 64 * 1024;

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
    if (this.#ended) receiver.end();
  }

  async output(data: Buffer): Promise<void> {
    if (this.#ended) return;
    await this.#connection.sendRequest(messages.terminalOutput, { id: this.#id, data: data.toString('base64') });
  }

  hold(held: boolean): void {
    if (this.#held === held || this.#ended) return;
    this.#held = held;
    notify(this.#connection, messages.terminalHold, { id: this.#id, held });
  }

  input(data: Buffer): void {
    if (this.#receiver !== undefined) return this.#receiver.input(data);
    if (this.#aheadBytes + data.length > maxTypedAheadBytes) return;
    this.#aheadBytes += data.length;
    this.#ahead.push(data);
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.#receiver?.resize(columns, rows);
  }

  /** Ends the terminal when its caller is gone, so that no program continues unseen. */
  end(): void {
    this.#ended = true;
    this.#receiver?.end();
  }
}
