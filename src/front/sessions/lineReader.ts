/**
 * Reads lines from a client's terminal, with the editing keys of a line that is never redrawn. An SSH channel has no
 * kernel terminal behind it, so echo, erase and interrupt are implemented here.
 */
import { Failure } from '../../domain/failure.ts';
import { split, type Key } from '../../shell/composer/keys.ts';
import { EchoedLine } from '../../shell/plain/echoedLine.ts';
import { SequenceReader, type Token } from '../../shell/terminal/sequenceReader.ts';

export interface LineReaderOptions {
  readonly echo: (text: string) => void;
  /** The width of the terminal. */
  readonly columns: number;
  /** Receives each line that answers no question, with its line feed; at Ctrl-D also one without. */
  readonly line: (text: string) => void;
  /** Called for Ctrl-D while no question is open. */
  readonly ended: () => void;
  /** Called for Ctrl-C while no question is open. */
  readonly interrupted: () => void;
}

/** The longest line, in UTF-16 units; the rest is dropped. It is longer than any key. */
const maxLineLength = 16_384;

const erasures: Readonly<Record<string, (line: EchoedLine) => string | undefined>> = {
  backspace: (line) => line.eraseCharacter(),
  'ctrl-h': (line) => line.eraseCharacter(),
  'ctrl-w': (line) => line.eraseWord(),
  'alt-backspace': (line) => line.eraseWord(),
  'ctrl-u': (line) => line.eraseAll(),
};

export class LineReader {
  readonly #options: LineReaderOptions;
  readonly #keys = new SequenceReader((tokens) => this.#take(tokens));
  #line: EchoedLine;
  /** What is to be echoed: one packet for all keys of one. */
  #echoed = '';
  #question: { resolve: (line: string) => void; reject: (error: unknown) => void } | undefined;

  constructor(options: LineReaderOptions) {
    this.#options = options;
    this.#line = this.#emptyLine();
  }

  /** Takes input from the client. */
  push(data: Buffer): void {
    this.#keys.push(data);
  }

  #echo(text: string): void {
    this.#echoed += text;
  }

  #flush(): void {
    const text = this.#echoed;
    this.#echoed = '';
    if (text !== '') this.#options.echo(text);
  }

  /**
   * Asks `question`. Resolves with the next line, which begins with what was typed ahead: `ahead`, and the open line.
   * Rejects with `cancelled`.
   */
  ask(question: string, ahead: string): Promise<string> {
    const typed = ahead + this.#line.text;
    this.#echo(question);
    this.#line = this.#emptyLine(question.slice(question.lastIndexOf('\n') + 1));
    return new Promise((resolve, reject) => {
      this.#question = { resolve, reject };
      this.#type(split(typed));
      this.#flush();
    });
  }

  /** Ends a pending {@link ask} with `cancelled`: after Ctrl-C, at the end of input, or when the client is gone. */
  cancel(): void {
    this.#keys.forgetEscape();
    const question = this.#question;
    if (question === undefined) return;
    this.#question = undefined;
    this.#echo('\n');
    this.#flush();
    question.reject(
      new Failure('cancelled', { what: 'confirmation', why: 'the question was not answered; nothing was changed' }),
    );
  }

  #emptyLine(prompt = ''): EchoedLine {
    return new EchoedLine(prompt, () => this.#options.columns, maxLineLength);
  }

  #take(tokens: readonly Token[]): void {
    for (const token of tokens) {
      if (token.kind === 'key') this.#type(token.sequence === '\x1b\x7f' ? [{ name: 'alt-backspace', text: '' }] : []);
      else if (token.kind !== 'long-paste') this.#type(split(token.text.replaceAll('\r\n', '\n')));
    }
    this.#flush();
  }

  #type(keys: readonly Key[]): void {
    // A packet of tabs is one insertion.
    let typed = '';
    const insert = (): void => {
      if (typed !== '') this.#echo(this.#line.insert(typed));
      typed = '';
    };
    for (const { name, text } of keys) {
      if (name === 'text') typed += text;
      else if (name === 'tab') typed += ' ';
      else {
        insert();
        this.#press(name);
      }
    }
    insert();
  }

  #press(name: string): void {
    if (name === 'enter') this.#enter();
    else if (name === 'ctrl-c' || name === 'ctrl-d') this.#end(name);
    else {
      const erase = erasures[name];
      if (erase !== undefined) this.#echo(erase(this.#line) ?? `\n${this.#line.shown}`);
    }
  }

  #enter(): void {
    const { text } = this.#line;
    const question = this.#question;
    this.#question = undefined;
    this.#line = this.#emptyLine();
    this.#echo('\n');
    if (question === undefined) this.#options.line(`${text}\n`);
    else question.resolve(text);
  }

  #end(name: 'ctrl-c' | 'ctrl-d'): void {
    if (this.#question !== undefined) return this.cancel();
    const { text } = this.#line;
    this.#line = this.#emptyLine();
    this.#flush();
    if (name === 'ctrl-c') return this.#options.interrupted();
    if (text !== '') this.#options.line(text);
    this.#options.ended();
  }
}
