/**
 * Reads lines from a client's terminal, with the editing keys of the composer. An SSH channel has no kernel terminal
 * behind it, so echo, erase and interrupt are implemented here.
 */
import { Failure } from '../../domain/failure.ts';
import { split, type Key } from '../../shell/composer/keys.ts';
import { EchoedLine } from '../../shell/plain/echoedLine.ts';
import { sequenceName } from '../../shell/terminal/sequenceNames.ts';
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
  /** Called with true when no more input should be pushed for now, then with false. */
  readonly hold: (held: boolean) => void;
}

/** The longest line, in UTF-16 units; the rest is dropped. It is longer than any key. */
const maxLineLength = 16_384;

/**
 * The work of one turn of the event loop, so that a client with thousands of keys on a long line does not delay the
 * others: some milliseconds. A key that edits looks at each UTF-16 unit of the line once, and that is the unit here.
 */
const maxWorkPerTurn = 2_000_000;
/** The work of a key that ends or edits a short line. */
const keyWork = 2000;
/** The work of showing a changed line, for each UTF-16 unit. */
const showWork = 16;
/** How many keys may wait. Above this, reading from the client pauses. */
const maxWaitingKeys = 4096;

export class LineReader {
  readonly #options: LineReaderOptions;
  readonly #tokens = new SequenceReader((tokens) => this.#take(tokens));
  /** Keys from `#next` on wait. */
  #waiting: Key[] = [];
  #next = 0;
  #work = 0;
  /** The next turn, if this one has done its work. */
  #turn: NodeJS.Immediate | undefined;
  #isHeld = false;
  #afterKeys: (() => void) | undefined;
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
    this.#tokens.push(data);
  }

  #echo(text: string): void {
    this.#echoed += text;
  }

  /** Echoes what has changed in the line. A packet of keys is echoed once. */
  #flush(): void {
    this.#echo(this.#line.update());
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
      const keys = split(typed).values();
      this.#type(() => keys.next().value);
      this.#flush();
    });
  }

  /** Calls `act` when all input so far has been handled. */
  afterInput(act: () => void): void {
    this.#afterKeys = act;
    this.#reportWaiting();
  }

  /** Ends a pending {@link ask} with `cancelled`, and drops what waits: at the end of input, or without a client. */
  cancel(): void {
    this.#tokens.forgetEscape();
    this.#waiting = [];
    this.#next = 0;
    this.#cancelQuestion();
    this.#reportWaiting();
  }

  #cancelQuestion(): void {
    const question = this.#question;
    if (question === undefined) return;
    this.#question = undefined;
    this.#echo(`${this.#line.finish()}\n`);
    this.#line = this.#emptyLine();
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
      if (token.kind === 'key') this.#waiting.push({ name: sequenceName(token.sequence.slice(1)) ?? '', text: '' });
      else if (token.kind !== 'long-paste')
        for (const key of split(token.text.replaceAll('\r\n', '\n'))) this.#waiting.push(key);
    }
    this.#run();
  }

  /** Handles the keys that wait, as far as this turn has work left. */
  #run(): void {
    if (this.#turn === undefined) {
      this.#type(() => (this.#work < maxWorkPerTurn ? this.#waiting[this.#next++] : undefined));
      this.#next = Math.min(this.#next, this.#waiting.length);
      this.#work += showWork * this.#line.text.length;
      this.#flush();
    }
    if (this.#work >= maxWorkPerTurn)
      this.#turn ??= setImmediate(() => {
        this.#turn = undefined;
        this.#work = 0;
        this.#run();
      });
    this.#reportWaiting();
  }

  #reportWaiting(): void {
    const count = this.#waiting.length - this.#next;
    if (count === 0) {
      this.#waiting = [];
      this.#next = 0;
    }
    const isHeld = this.#isHeld ? count > 0 : count > maxWaitingKeys;
    if (isHeld !== this.#isHeld) {
      this.#isHeld = isHeld;
      this.#options.hold(isHeld);
    }
    const act = count === 0 ? this.#afterKeys : undefined;
    if (act === undefined) return;
    this.#afterKeys = undefined;
    act();
  }

  /** Types keys until there is none. */
  #type(next: () => Key | undefined): void {
    // A packet of tabs is one insertion.
    let typed = '';
    const insert = (): void => {
      if (typed !== '') this.#line.insert(typed);
      typed = '';
    };
    for (let key = next(); key !== undefined; key = next()) {
      if (key.name === 'text') typed += key.text;
      else if (key.name === 'tab') typed += ' ';
      else {
        insert();
        this.#press(key.name);
      }
    }
    insert();
  }

  #press(name: string): void {
    this.#work += keyWork + this.#line.text.length;
    if (name === 'enter') this.#enter();
    else if (name === 'ctrl-c' || name === 'ctrl-d') this.#end(name);
    else this.#line.press(name);
  }

  #enter(): void {
    const { text } = this.#line;
    const question = this.#question;
    this.#question = undefined;
    this.#echo(`${this.#line.finish()}\n`);
    this.#line = this.#emptyLine();
    if (question === undefined) this.#options.line(`${text}\n`);
    else question.resolve(text);
  }

  #end(name: 'ctrl-c' | 'ctrl-d'): void {
    if (this.#question !== undefined) return this.#cancelQuestion();
    const { text } = this.#line;
    this.#echo(this.#line.finish());
    this.#line = this.#emptyLine();
    this.#flush();
    if (name === 'ctrl-c') return this.#options.interrupted();
    if (text !== '') this.#options.line(text);
    this.#options.ended();
  }
}
