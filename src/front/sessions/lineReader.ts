/**
 * One line typed on a client's terminal. There is no kernel terminal behind an SSH channel, so echo, erase and
 * interrupt are done here. Printable characters only: whatever else arrives is not echoed.
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

  read(): Promise<string> {
    this.#line = [];
    return new Promise((resolve, reject) => (this.#done = { resolve, reject }));
  }

  /** Feeds what the client sent. */
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

  /** Ends the waiting, if there is any, with `cancelled`: Ctrl-C, end of input, or the client is gone. */
  cancel(): void {
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    this.#echo('\r\n');
    done.reject(new Failure('cancelled', { what: 'the question', why: 'it was not answered; nothing was changed' }));
  }

  #finish(line: string): void {
    const done = this.#done;
    this.#done = undefined;
    this.#echo('\r\n');
    done?.resolve(line);
  }
}
