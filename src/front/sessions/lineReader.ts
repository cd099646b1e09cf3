/**
 * Reads one line from a client's terminal. An SSH channel has no kernel terminal behind it, so echo, erase and
 * interrupt are implemented here. Only printable ASCII is accepted and echoed.
 */
import { Failure } from '../../domain/failure.ts';

const maxLineLength = 256;

export class LineReader {
  #line: string[] = [];
  readonly #echo: (text: string) => void;
  #done: { resolve: (line: string) => void; reject: (error: unknown) => void } | undefined;

  constructor(echo: (text: string) => void) {
    this.#echo = echo;
  }

  /** Resolves with the next line. Rejects with `cancelled`. */
  read(): Promise<string> {
    this.#line = [];
    return new Promise((resolve, reject) => (this.#done = { resolve, reject }));
  }

  /** Takes input from the client. */
  push(text: string): void {
    for (const c of text) {
      if (this.#done === undefined) return;
      if (c === '\r' || c === '\n') this.#finish(this.#line.join(''));
      else if (c === '\u0003' || c === '\u0004') this.cancel();
      else if (c === '\u007f' || c === '\b') {
        if (this.#line.pop() !== undefined) this.#echo('\b \b');
      } else if (/^[\x20-\x7e]$/.test(c) && this.#line.length < maxLineLength) {
        this.#line.push(c);
        this.#echo(c);
      }
    }
  }

  /** Ends a pending {@link read} with `cancelled`: after Ctrl-C, at the end of input, or when the client is gone. */
  cancel(): void {
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    this.#echo('\r\n');
    done.reject(
      new Failure('cancelled', { what: 'confirmation', why: 'the question was not answered; nothing was changed' }),
    );
  }

  #finish(line: string): void {
    const done = this.#done;
    this.#done = undefined;
    this.#echo('\r\n');
    done?.resolve(line);
  }
}
