/** The terminal of a client at the other end of a stream. */
import type { CallerTerminal, TerminalReceiver } from '../../domain/terminal.ts';
import type { MessageStream } from './messageStream.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What all kinds of streams (as TerminalInput and RunInput of verbs.proto) carry for a terminal. */
export interface TerminalInput {
  readonly typed?: Buffer;
  readonly resize?: Size;
}

/** Input before a program is attached from which on the client has to hold back the rest, in bytes. */
const maxTypedAheadBytes = 64 * 1024;

/** What a terminal sends for Ctrl-D, the end of typed input. */
const endOfInput = Buffer.from([0x04]);

export class StreamTerminal implements CallerTerminal {
  type = 'dumb';
  columns = 80;
  rows = 24;
  readonly #stream: MessageStream<TerminalInput>;
  #receiver: TerminalReceiver | undefined;
  #ahead: Buffer[] = [];
  #aheadBytes = 0;
  /** Whether the program asks the client to hold back input. */
  #isHeldByProgram = false;
  #isHeld = false;
  #hasEnded = false;

  constructor(stream: MessageStream<TerminalInput>) {
    this.#stream = stream;
    stream.on('data', (input) => this.#take(input));
    stream.on('end', () => this.#endInput());
    for (const event of ['cancelled', 'error'] as const) stream.on(event, () => this.#end());
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
    this.#isHeldByProgram = held;
    this.#tell();
  }

  attach(receiver: TerminalReceiver): void {
    this.#receiver = receiver;
    for (const data of this.#ahead) receiver.input(data);
    this.#ahead = [];
    this.#aheadBytes = 0;
    this.#tell();
    if (this.#hasEnded) receiver.end();
  }

  #take({ typed, resize }: TerminalInput): void {
    if (resize !== undefined) this.#resize(resize);
    if (typed !== undefined) this.#input(typed);
  }

  #input(typed: Buffer): void {
    if (this.#receiver !== undefined) return this.#receiver.input(typed);
    this.#aheadBytes += typed.length;
    this.#ahead.push(typed);
    this.#tell();
  }

  /** The client sends no more. For a program that reads a terminal that is a person's Ctrl-D, as over ssh. */
  #endInput(): void {
    if (!this.#hasEnded) this.#input(endOfInput);
  }

  #tell(): void {
    const isHeld = this.#isHeldByProgram || this.#aheadBytes > maxTypedAheadBytes;
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    this.#stream.write({ hold: isHeld });
    // Flow control of the connection reaches the client, whatever it does with the message.
    if (isHeld) this.#stream.pause();
    else this.#stream.resume();
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
