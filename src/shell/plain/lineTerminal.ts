/**
 * A terminal used like paper: lines are written once and never redrawn. One line may be open for typing.
 *
 * Messages are printed at once while that line is empty; otherwise they wait until it is sent or cleared. Printing them
 * at once and repeating the typed text would be worse for listeners: a screen reader speaks new output, so it would
 * interrupt the echo of the current word and then read the whole line again.
 */
import { emptyLine, type Line } from '../composer/line.ts';
import { EchoedLine } from './echoedLine.ts';
import { TypedKeys } from './typedKeys.ts';

export interface LineTerminalOptions {
  readonly write: (text: string) => void;
  readonly columns: () => number;
  /** Called for Ctrl-C while no line is being read. Returns whether it had an effect; if not, the key is queued. */
  readonly interrupted: () => boolean;
  readonly now?: () => number;
}

/** What the user did with the open line: sent it, pasted text, or pressed a key that does not edit. */
export type Reading =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'paste'; readonly text: string }
  | { readonly kind: 'key'; readonly name: string };

export interface LineOptions {
  /** The initial text of the line. */
  readonly text?: string;
  /** Where its cursor is. Default: at the end. */
  readonly cursor?: number;
  /** Whether a paste keeps its line feeds, for several keys, one per line. */
  readonly keepLines?: boolean;
  /** Whether a paste is a reading instead of text of the line. */
  readonly readsPastes?: boolean;
}

/** The most keys that are queued. */
const maxQueuedKeys = 4096;
/** The most queued keys that are handled in one turn of the event loop. */
const maxKeysPerTurn = 64;
/** The most messages that wait, in case the user leaves a line half typed. The oldest are dropped. */
const maxWaitingMessages = 200;

export class LineTerminal {
  readonly #options: LineTerminalOptions;
  readonly #keys: TypedKeys;
  readonly #ahead: ReturnType<TypedKeys['push']> = [];
  #line: EchoedLine | undefined;
  #keepLines = false;
  #readsPastes = false;
  #reader: ((reading: Reading) => void) | undefined;
  #waiting: string[] = [];
  #dropped = 0;
  #held = false;
  #isClosed = false;
  #flushing = false;

  constructor(options: LineTerminalOptions) {
    this.#options = options;
    this.#keys = new TypedKeys(options.now);
  }

  /** Takes typed input. */
  feed(text: string): void {
    for (const typed of this.#keys.push(text)) {
      if (this.#reader === undefined && 'name' in typed && typed.name === 'ctrl-c' && this.#options.interrupted()) {
        // As in a kernel terminal, an interrupt discards the input before it.
        this.#ahead.length = 0;
        continue;
      }
      if (this.#ahead.length < maxQueuedKeys) this.#ahead.push(typed);
      this.#read();
    }
    this.#show();
  }

  /** Prints a message: whole lines, without the final line feed. */
  say(text: string): void {
    if (text === '' || this.#isClosed) return;
    this.#waiting.push(text);
    if (this.#waiting.length > maxWaitingMessages) {
      this.#waiting.shift();
      this.#dropped++;
    }
    if (this.#line === undefined) return this.#flush();
    if (this.#flushing) return;
    this.#flushing = true;
    // Messages of one turn share one new prompt.
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  /** Opens a line for typing. */
  open(prompt: string, { text = '', cursor, keepLines = false, readsPastes = false }: LineOptions = {}): void {
    if (this.#isClosed) return;
    this.closeLine();
    this.#line = new EchoedLine(prompt, this.#options.columns);
    this.#keepLines = keepLines;
    this.#readsPastes = readsPastes;
    this.#line.insert(text);
    if (cursor !== undefined) this.#line.line = { ...this.#line.line, cursor };
    this.#options.write(this.#line.written());
  }

  /** Closes the open line and prints the waiting messages. */
  closeLine(): void {
    if (this.#line === undefined) return;
    const left = this.#line.finish();
    this.#line = undefined;
    this.#options.write(`${left}\n`);
    this.#flush();
  }

  /** The text of the open line. */
  get typed(): string {
    return this.#line?.text ?? '';
  }

  /** The text of the open line and its cursor. */
  get line(): Line {
    return this.#line?.line ?? emptyLine;
  }

  /** Changes the open line. */
  set line(line: Line) {
    if (this.#line !== undefined) this.#line.line = line;
    this.#show();
  }

  /** Returns the next reading of the open line or, if no line is open, the next key. */
  next(): Promise<Reading> {
    return new Promise((resolve) => {
      this.#reader = resolve;
      // Thousands of keys may be queued, so other shells get a turn between them.
      if (this.#ahead.length > 0) this.#readLater();
    });
  }

  /** Makes messages wait while a program in a container owns the terminal. */
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
    const dropped = this.#dropped === 0 ? [] : [`${this.#dropped} older messages were dropped.`];
    const text = [...dropped, ...this.#waiting].join('\n');
    this.#waiting = [];
    this.#dropped = 0;
    this.#options.write(this.#line === undefined ? `${text}\n` : `\n${text}\n${this.#line.written()}`);
  }

  /** Shows what has changed in the open line. An emptied line counts as cleared. */
  #show(): void {
    const changed = this.#line?.update() ?? '';
    if (changed === '') return;
    this.#options.write(changed);
    if (this.#line?.isEmpty === true) this.#flush();
  }

  #readLater(): void {
    setImmediate(() => {
      this.#read();
      this.#show();
    });
  }

  #read(): void {
    for (let keys = 0; this.#reader !== undefined; keys++) {
      if (keys === maxKeysPerTurn) return this.#readLater();
      const typed = this.#ahead.shift();
      if (typed === undefined) return;
      const reading = this.#take(typed);
      if (reading === undefined) continue;
      this.#show();
      const resolve = this.#reader;
      this.#reader = undefined;
      resolve(reading);
    }
  }

  #take(typed: ReturnType<TypedKeys['push']>[number]): Reading | undefined {
    const line = this.#line;
    if ('paste' in typed) {
      if (line !== undefined && this.#readsPastes) return { kind: 'paste', text: typed.paste };
      if (line !== undefined) line.insert(this.#cleaned(typed.paste, line.isEmpty));
      return undefined;
    }
    if (line === undefined) return { kind: 'key', name: typed.name };
    switch (typed.name) {
      case 'text':
        line.insert(typed.text);
        return undefined;
      case 'enter': {
        const { text } = line;
        this.closeLine();
        return { kind: 'line', text };
      }
      default:
        return line.press(typed.name) ? undefined : { kind: 'key', name: typed.name };
    }
  }

  /** Turns a paste into text. It never sends the line. */
  #cleaned(text: string, first: boolean): string {
    const clean = this.#keepLines ? lines(text) : text.replace(/[\r\n\t]+/g, ' ').replace(/\p{Cc}/gu, '');
    return first ? clean.trimStart() : clean;
  }
}

function lines(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\n]/gu, '');
}
