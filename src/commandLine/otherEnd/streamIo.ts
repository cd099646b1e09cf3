/** The caller's end of a command line, at the other end of a stream of messages. */
import { Failure, failureCodes, type FailureCode } from '../../domain/failure.ts';
import type { HandedOverTerminal } from '../../domain/terminal.ts';
import type { CommandIo } from '../run.ts';
import type { MessageStream } from './messageStream.ts';
import { StreamTerminal, type Size, type TerminalInput } from './streamTerminal.ts';

/** A message of the client, as verbs.proto has it. */
export interface RunInput extends TerminalInput {
  readonly command?: {
    readonly words: readonly string[];
    readonly prefix: string;
    readonly tty?: { readonly size: Size | null; readonly type: string } | null;
  };
  readonly reply?: {
    readonly text?: string;
    readonly refusal?: { readonly code: string; readonly what: string; readonly why: string; readonly next?: string };
  };
  readonly interrupt?: boolean;
}

/** How long a person may take to answer, in milliseconds. */
const replyMs = 10 * 60_000;

interface StreamIoOptions {
  /** Called for each Ctrl-C of the client. */
  readonly interrupted: () => void;
  /** Called when the client takes no output. */
  readonly stuck: (failure: Failure) => void;
  /** Output that the client has not taken yet, in bytes. One that takes nothing would fill the memory. */
  readonly maxWaitingBytes: number;
  /** Counts output until it is taken, in bytes. */
  readonly output?: { add(bytes: number): void; taken(bytes: number): void };
}

interface Asked {
  readonly resolve: (text: string) => void;
  readonly reject: (failure: Failure) => void;
}

export class StreamIo implements CommandIo {
  terminal = false;
  handOver?: () => HandedOverTerminal;
  bytes?: (data: Buffer) => Promise<void>;
  readonly #stream: MessageStream<RunInput>;
  readonly #options: StreamIoOptions;
  readonly #tty: StreamTerminal;
  #asked: Asked | undefined;
  #waitingBytes = 0;

  constructor(stream: MessageStream<RunInput>, options: StreamIoOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#tty = new StreamTerminal(stream);
    stream.on('data', ({ reply, interrupt }) => {
      if (interrupt === true) options.interrupted();
      if (reply !== undefined) this.#answer(reply);
    });
    const gone = (): void => this.#refuse(new Failure('cancelled', { what: 'the command', why: 'its client is gone' }));
    for (const event of ['end', 'cancelled', 'error'] as const) stream.on(event, gone);
  }

  /** Sets the terminal at which the caller is, if there is one. */
  begin(tty: { readonly size: Size | null; readonly type: string } | undefined): void {
    if (tty === undefined) return;
    this.terminal = true;
    this.#tty.describe(tty.type, tty.size);
    this.handOver = () => this.#handOver();
  }

  /** Lets commands send bytes: the caller's standard output is no terminal, and the stream carries them. */
  takeBytes(): void {
    this.bytes = (data) =>
      new Promise((resolve, reject) => {
        const gone = (): void =>
          reject(new Failure('cancelled', { what: 'standard output', why: 'its reader is gone' }));
        this.#stream.once('cancelled', gone);
        this.#stream.write({ bytes: data }, () => {
          this.#stream.off('cancelled', gone);
          resolve();
        });
      });
  }

  stdout(text: string): void {
    this.#print({ stdout: text }, text);
  }

  stderr(text: string): void {
    this.#print({ stderr: text }, text);
  }

  readStdin(maxBytes: number): Promise<string> {
    return this.#ask({ read_stdin: maxBytes });
  }

  ask(question: string): Promise<string> {
    return this.#ask({ ask: question });
  }

  readonly files = {
    read: (path: string): Promise<string> => this.#ask({ read_file: path }),
    makeFolder: async (path: string): Promise<void> => {
      await this.#ask({ make_folder: path });
    },
    write: async (path: string, text: string): Promise<void> => {
      await this.#ask({ write_file: { path, text } });
    },
  };

  #print(message: object, text: string): void {
    const { maxWaitingBytes, output, stuck } = this.#options;
    if (this.#waitingBytes > maxWaitingBytes) return;
    const bytes = Buffer.byteLength(text);
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > maxWaitingBytes)
      return stuck(new Failure('timeout', { what: 'the output', why: 'the client does not take it' }));
    output?.add(bytes);
    this.#stream.write(message, () => {
      this.#waitingBytes -= bytes;
      output?.taken(bytes);
    });
  }

  /** Sends a question. Resolves with the reply; rejects with the reason of the client. */
  #ask(question: object): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#refuse(new Failure('timeout', { what: 'the caller', why: 'there was no answer' })),
        replyMs,
      );
      const done = (): void => {
        clearTimeout(timer);
        this.#asked = undefined;
      };
      this.#asked = {
        resolve: (text) => {
          done();
          resolve(text);
        },
        reject: (failure) => {
          done();
          reject(failure);
        },
      };
      this.#stream.write({ question });
    });
  }

  #answer({ text, refusal }: NonNullable<RunInput['reply']>): void {
    if (refusal === undefined) {
      this.#asked?.resolve(text ?? '');
      return;
    }
    const { code, what, why, next } = refusal;
    this.#refuse(new Failure(isCode(code) ? code : 'usage', { what, why, ...(next === undefined ? {} : { next }) }));
  }

  #refuse(failure: Failure): void {
    this.#asked?.reject(failure);
  }

  #handOver(): HandedOverTerminal {
    const tty = this.#tty;
    const stream = this.#stream;
    return {
      get type() {
        return tty.type;
      },
      get columns() {
        return tty.columns;
      },
      get rows() {
        return tty.rows;
      },
      output: (data) => tty.output(data),
      hold: (held) => tty.hold(held),
      attach(receiver) {
        stream.write({ attached: true });
        tty.attach(receiver);
      },
      giveBack: () => void stream.write({ attached: false }),
    };
  }
}

function isCode(code: string): code is FailureCode {
  return Object.hasOwn(failureCodes, code);
}
