/** The terminal of a client at the other end of a stream. */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { CallerTerminal, TerminalReceiver } from '../../domain/terminal.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What both kinds of streams (TerminalInput and RunInput of verbs.proto) carry for a terminal. */
interface Input {
  readonly typed?: Buffer;
  readonly resize?: Size;
}

/** Limit of input before a program is attached, in bytes. More is dropped, as a terminal driver does. */
const maxTypedAheadBytes = 64 * 1024;

export class StreamTerminal implements CallerTerminal {
  type = 'dumb';
  columns = 80;
  rows = 24;
  readonly #stream: ServerDuplexStream<object, object>;
  #receiver: TerminalReceiver | undefined;
  #ahead: Buffer[] = [];
  #aheadBytes = 0;
  #hasEnded = false;

  constructor(stream: ServerDuplexStream<object, object>) {
    this.#stream = stream;
    stream.on('data', (input: Input) => this.#take(input));
    for (const event of ['end', 'cancelled', 'error']) stream.on(event, () => this.#end());
  }

  /** Sets what the client says of its terminal when it begins. */
  describe(type: string, size: Size | null | undefined): void {
    this.type = type === '' ? 'dumb' : type;
    if (size) this.#resize(size);
  }

  output(data: Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stream.write({ terminal: data })) return resolve();
      const go = (): void => {
        this.#stream.off('drain', go);
        this.#stream.off('cancelled', go);
        resolve();
      };
      this.#stream.once('drain', go);
      this.#stream.once('cancelled', go);
    });
  }

  hold(held: boolean): void {
    this.#stream.write({ hold: held });
    // Flow control of HTTP/2 reaches the client, whatever it does with the message.
    if (held) this.#stream.pause();
    else this.#stream.resume();
  }

  attach(receiver: TerminalReceiver): void {
    this.#receiver = receiver;
    for (const data of this.#ahead) receiver.input(data);
    this.#ahead = [];
    if (this.#hasEnded) receiver.end();
  }

  #take({ typed, resize }: Input): void {
    if (resize !== undefined) this.#resize(resize);
    if (typed === undefined) return;
    if (this.#receiver !== undefined) return this.#receiver.input(typed);
    if (this.#aheadBytes + typed.length > maxTypedAheadBytes) return;
    this.#aheadBytes += typed.length;
    this.#ahead.push(typed);
  }

  #resize({ columns, rows }: Size): void {
    this.columns = within(columns, 80);
    this.rows = within(rows, 24);
    this.#receiver?.resize(this.columns, this.rows);
  }

  #end(): void {
    this.#hasEnded = true;
    this.#receiver?.end();
  }
}

/** Returns a side of the terminal as the protocol with core allows it. */
function within(side: number, otherwise: number): number {
  return Number.isInteger(side) && side > 0 ? Math.min(side, 1000) : otherwise;
}
