/** The caller's end of a command line, at the other end of a stream of VerbService/Run. */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { CommandIo } from '../../../commandLine/run.ts';
import { Failure, failureCodes, type FailureCode } from '../../../domain/failure.ts';
import type { HandedOverTerminal } from '../../../domain/terminal.ts';
import { toStatus } from '../../../grpc/status.ts';
import { CallOutput } from '../unreadAnswers.ts';
import { StreamTerminal, type Size } from '../streamTerminal.ts';

/** A message of the client, as verbs.proto has it. */
export interface RunInput {
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

/** Output that the client has not taken yet, in bytes. One that takes nothing would fill the memory. */
const maxWaitingBytes = 16 * 1024 * 1024;

interface StreamListeners {
  /** Called for each Ctrl-C of the client. */
  readonly interrupted: () => void;
  /** Called when the client takes no output. */
  readonly stuck: () => void;
}

interface Asked {
  readonly resolve: (text: string) => void;
  readonly reject: (failure: Failure) => void;
}

export class StreamIo implements CommandIo {
  terminal = false;
  handOver?: () => HandedOverTerminal;
  readonly #stream: ServerDuplexStream<RunInput, object>;
  readonly #on: StreamListeners;
  readonly #output: CallOutput;
  readonly #tty: StreamTerminal;
  #asked: Asked | undefined;
  #waitingBytes = 0;

  constructor(stream: ServerDuplexStream<RunInput, object>, on: StreamListeners, output = new CallOutput(undefined)) {
    this.#stream = stream;
    this.#on = on;
    this.#output = output;
    this.#tty = new StreamTerminal(stream);
    stream.on('data', ({ reply, interrupt }: RunInput) => {
      if (interrupt === true) on.interrupted();
      if (reply !== undefined) this.#answer(reply);
    });
    const gone = (): void => this.#refuse(new Failure('cancelled', { what: 'the command', why: 'its client is gone' }));
    for (const event of ['end', 'cancelled', 'error']) stream.on(event, gone);
  }

  /** Sets the terminal at which the caller is, if there is one. */
  begin(tty: { readonly size: Size | null; readonly type: string } | undefined): void {
    if (tty === undefined) return;
    this.terminal = true;
    this.#tty.describe(tty.type, tty.size);
    this.handOver = () => this.#handOver();
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
    if (this.#waitingBytes > maxWaitingBytes) return;
    const bytes = Buffer.byteLength(text);
    this.#waitingBytes += bytes;
    if (this.#waitingBytes <= maxWaitingBytes) {
      this.#output.add(bytes);
      this.#stream.write(message, () => {
        this.#waitingBytes -= bytes;
        this.#output.taken(bytes);
      });
      return;
    }
    this.#on.stuck();
    this.#stream.emit(
      'error',
      toStatus(new Failure('timeout', { what: 'the output', why: 'the client does not take it' })),
    );
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
