/**
 * A terminal as paper: lines are written, and nothing is written twice unless a person asks for it. One line may be
 * open, the one that is being typed.
 *
 * What happens meanwhile is said at once when the line is empty, and waits until it is sent or cleared when it is not.
 * The other way, to say it and then repeat what was typed, costs whoever listens more: a screen reader speaks what is
 * new, so it would break off the echo of the word that is being typed and then read the whole line again.
 */
import { EchoedLine } from './echoedLine.ts';
import { TypedKeys } from './typed.ts';

export interface DeskOptions {
  readonly write: (text: string) => void;
  readonly columns: () => number;
  /** Ctrl-C while nobody reads; whether there was something to end. Where not it is read in its turn. */
  readonly interrupted: () => boolean;
  readonly now?: () => number;
}

/** What a person did with the open line: sent it, or pressed a key that is no editing. */
export type Reading =
  { readonly kind: 'line'; readonly text: string } | { readonly kind: 'key'; readonly name: string };

export interface LineOptions {
  /** Already in the line. */
  readonly text?: string;
  /** A paste keeps its line feeds: several keys, one a line. */
  readonly keepLines?: boolean;
}

/** Keys typed ahead. */
const maxLinesAhead = 4096;
/** Things to say that wait; when somebody leaves a line half typed and goes home, the oldest are left out. */
const maxWaiting = 200;

const erasures: Readonly<Record<string, (line: EchoedLine) => string | undefined>> = {
  backspace: (line) => line.eraseCharacter(),
  delete: (line) => line.eraseCharacter(),
  'ctrl-h': (line) => line.eraseCharacter(),
  'ctrl-w': (line) => line.eraseWord(),
  'alt-backspace': (line) => line.eraseWord(),
  'ctrl-u': (line) => line.eraseAll(),
};

export class Desk {
  readonly #options: DeskOptions;
  readonly #keys: TypedKeys;
  readonly #ahead: ReturnType<TypedKeys['push']> = [];
  #line: EchoedLine | undefined;
  #keepLines = false;
  #reader: ((reading: Reading) => void) | undefined;
  #waiting: string[] = [];
  #leftOut = 0;
  #held = false;
  #isClosed = false;
  #flushing = false;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#keys = new TypedKeys(options.now);
  }

  /** Takes what was typed. */
  feed(text: string): void {
    for (const typed of this.#keys.push(text)) {
      if (this.#reader === undefined && 'name' in typed && typed.name === 'ctrl-c' && this.#options.interrupted()) {
        // As a kernel terminal does: what was typed before an interrupt is forgotten.
        this.#ahead.length = 0;
        continue;
      }
      if (this.#ahead.length < maxLinesAhead) this.#ahead.push(typed);
      this.#read();
    }
  }

  /** Says something: whole lines, without the last line feed. */
  say(text: string): void {
    if (text === '' || this.#isClosed) return;
    this.#waiting.push(text);
    if (this.#waiting.length > maxWaiting) {
      this.#waiting.shift();
      this.#leftOut++;
    }
    if (this.#line === undefined) return this.#flush();
    if (this.#flushing) return;
    this.#flushing = true;
    // What is said together costs one new prompt.
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  /** Opens a line. */
  open(prompt: string, { text = '', keepLines = false }: LineOptions = {}): void {
    if (this.#isClosed) return;
    this.closeLine();
    this.#line = new EchoedLine(prompt, this.#options.columns);
    this.#keepLines = keepLines;
    this.#line.insert(text);
    this.#options.write(this.#line.shown);
  }

  /** Ends the open line, whatever is in it, and says what waited for that. */
  closeLine(): void {
    if (this.#line === undefined) return;
    this.#line = undefined;
    this.#options.write('\n');
    this.#flush();
  }

  /** What is in the open line. */
  get typed(): string {
    return this.#line?.text ?? '';
  }

  /** Writes into the open line, as if it had been typed. */
  type(text: string): void {
    this.#options.write(this.#line?.insert(text) ?? '');
  }

  /** What is done next: with the open line, or without one the next key. */
  next(): Promise<Reading> {
    return new Promise((resolve) => {
      this.#reader = resolve;
      // Thousands of keys may have been typed ahead, and each may write the whole line: others get their turn between
      // them.
      if (this.#ahead.length > 0) setImmediate(() => this.#read());
    });
  }

  /** Something else has the terminal: what is said waits. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#flush();
  }

  close(): void {
    this.closeLine();
    this.#isClosed = true;
    this.#reader = undefined;
  }

  #flush(): void {
    if (this.#waiting.length === 0 || this.#held || this.#isClosed || this.#line?.isEmpty === false) return;
    const leftOut = this.#leftOut === 0 ? [] : [`${this.#leftOut} older lines are left out.`];
    const text = [...leftOut, ...this.#waiting].join('\n');
    this.#waiting = [];
    this.#leftOut = 0;
    this.#options.write(this.#line === undefined ? `${text}\n` : `\n${text}\n${this.#line.shown}`);
  }

  #read(): void {
    while (this.#reader !== undefined) {
      const typed = this.#ahead.shift();
      if (typed === undefined) return;
      const reading = this.#take(typed);
      if (reading === undefined) continue;
      const resolve = this.#reader;
      this.#reader = undefined;
      resolve(reading);
    }
  }

  #take(typed: ReturnType<TypedKeys['push']>[number]): Reading | undefined {
    const line = this.#line;
    if ('paste' in typed) {
      if (line !== undefined) this.#options.write(line.insert(this.#cleaned(typed.paste, line.text === '')));
      return undefined;
    }
    if (line === undefined) return { kind: 'key', name: typed.name };
    switch (typed.name) {
      case 'text':
        this.#options.write(line.insert(typed.text));
        return undefined;
      case 'enter': {
        const { text } = line;
        this.closeLine();
        return { kind: 'line', text };
      }
      default: {
        const erase = erasures[typed.name];
        if (erase === undefined) return { kind: 'key', name: typed.name };
        this.#options.write(erase(line) ?? `\n${line.shown}`);
        // An emptied line is a cleared one.
        if (line.isEmpty) this.#flush();
        return undefined;
      }
    }
  }

  /** A paste is text, whatever is in it, and sends nothing. */
  #cleaned(text: string, first: boolean): string {
    const clean = this.#keepLines ? lines(text) : text.replace(/[\r\n\t]+/g, ' ').replace(/\p{Cc}/gu, '');
    return first ? clean.trimStart() : clean;
  }
}

function lines(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\n]/gu, '');
}
