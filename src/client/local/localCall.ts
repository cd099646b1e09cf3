/** A command line on its way over core's socket: the messages of VerbService/Run, as lines of JSON. */
import type { Socket } from 'node:net';
import { MessageLines } from '../../commandLine/otherEnd/messageLines.ts';
import { writeBytes } from '../../commandLine/terminalIo.ts';
import { coreEnded } from '../../domain/coreEnded.ts';
import { Failure, type FailureData } from '../../domain/failure.ts';
import type { Input, Output, RunCall } from '../commandLine.ts';

/** What the server tells of the command line before its output. */
interface Told {
  readonly begun?: true;
  readonly failure?: FailureData;
  readonly bytes?: Buffer;
}

interface LocalCallOptions {
  /** The person who runs the command. */
  readonly name: string;
  readonly takesBytes: boolean;
}

/** How long the server may take until it has begun, in milliseconds. One of another version never does. */
const beginMs = 20_000;

/** The questions as JSON has them, by the name that VerbService/Run gives them. */
const questionCases = {
  read_stdin: 'readStdin',
  ask: 'ask',
  read_file: 'readFile',
  write_file: 'writeFile',
  make_folder: 'makeFolder',
} as const;

export class LocalCall implements RunCall {
  readonly #lines: MessageLines;
  readonly #options: LocalCallOptions;
  #isLeft = false;

  /** `gaveUp` leaves the call. */
  constructor(socket: Socket, gaveUp: AbortSignal, options: LocalCallOptions) {
    this.#lines = new MessageLines(socket);
    this.#options = options;
    gaveUp.addEventListener('abort', () => this.#leave(), { once: true });
  }

  send(input: Input): void {
    if (!this.#lines.writable) return;
    this.#lines.write(this.#written(input));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Output, void> {
    const silent = setTimeout(() => this.#lines.destroy(new Failure('core-unavailable', notUnderstood)), beginMs);
    let hasEnded = false;
    try {
      for await (const message of this.#lines as AsyncIterable<Told>) {
        clearTimeout(silent);
        if (message.failure !== undefined) throw Failure.fromData(message.failure);
        if (message.bytes !== undefined) await writeBytes(message.bytes);
        else if (message.begun === undefined) {
          const output = outputOf(message);
          hasEnded = output.case === 'exit';
          yield output;
        }
      }
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw this.#ended(error);
    } finally {
      clearTimeout(silent);
    }
    if (!hasEnded) throw this.#ended();
  }

  #leave(): void {
    this.#isLeft = true;
    this.#lines.destroy();
  }

  #ended(cause?: unknown): Failure {
    if (!this.#isLeft) return coreEnded(cause);
    return new Failure('core-unavailable', {
      what: 'the command',
      why: 'you left it before its end',
      next: 'a change that has begun continues: see "audit"',
    });
  }

  #written(input: Input): object {
    switch (input.case) {
      case 'command':
        return { command: { ...input.value, ...this.#options } };
      case 'reply': {
        const { reply } = input.value;
        return { reply: reply?.case === undefined ? {} : { [reply.case]: reply.value } };
      }
      case 'typed':
      case 'resize':
      case 'interrupt':
        return { [input.case]: input.value };
      case undefined:
        return {};
    }
  }
}

const notUnderstood = {
  what: 'the server',
  why: 'it does not answer as this version of containarium expects',
  next: 'restart the server, so that it runs this version too',
};

/** Returns a message of the server in the form of VerbService/Run. The server is trusted: it runs as root here. */
function outputOf(message: object): Output {
  const [[name, value] = ['', undefined]] = Object.entries(message) as [string, unknown][];
  if (name !== 'question') return { case: name, value } as Output;
  const [[asked, detail] = ['', undefined]] = Object.entries(value as object) as [string, unknown][];
  const question = { case: questionCases[asked as keyof typeof questionCases], value: detail };
  return { case: 'question', value: { question } } as Output;
}
