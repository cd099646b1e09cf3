/**
 * A shell just good enough to try a terminal with: it echoes, edits with backspace, and knows a handful of commands.
 * What is typed while one of them runs is lost, except Ctrl-C.
 */
import { StringDecoder } from 'node:string_decoder';

export interface ShellSurroundings {
  readonly user: string;
  readonly host: string;
  /** Characters of the terminal as it is now. */
  size(): { readonly columns: number; readonly rows: number };
  print(text: string): void;
  /** Runs a command that prints for long: each call gives the next piece, `undefined` at its end. */
  flood(pieces: Iterator<string, undefined>): void;
  /** Ends a flood. */
  interrupt(): void;
  exit(status: number): void;
}

const maxLine = 4096;

/** What arrow keys and their like send (ECMA-48): not edited with here. */
const keySequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])/g;

function* repeated(line: string): Generator<string, undefined> {
  const piece = `${line}\r\n`.repeat(Math.max(1, Math.floor(4096 / (line.length + 2))));
  for (;;) yield piece;
}

function* counted(last: number): Generator<string, undefined> {
  for (let from = 1; from <= last; from += 512) {
    let piece = '';
    for (let n = from; n < from + 512 && n <= last; n += 1) piece += `${n}\r\n`;
    yield piece;
  }
}

export class LineShell {
  readonly #around: ShellSurroundings;
  readonly #decoder = new StringDecoder('utf8');
  #line: string[] = [];
  #status = 0;
  #isBusy = false;
  #isOver = false;

  constructor(around: ShellSurroundings) {
    this.#around = around;
  }

  prompt(): void {
    const { user, host } = this.#around;
    this.#line = [];
    this.#around.print(`${user}@${host}:~${user === 'root' ? '#' : '$'} `);
  }

  /** What was typed. */
  input(data: Buffer): void {
    for (const key of this.#decoder.write(data).replace(keySequences, '')) {
      if (this.#isOver) return;
      this.#press(key);
    }
  }

  /** A command that printed for long has come to its end. */
  finished(): void {
    this.#isBusy = false;
    this.#status = 0;
    this.prompt();
  }

  #press(key: string): void {
    if (key === '\u0003') return this.#interrupt();
    if (this.#isBusy) return;
    if (key === '\r' || key === '\n') return this.#enter();
    if (key === '\u0004') return this.#endOfInput();
    if (key === '\u007f' || key === '\b') {
      if (this.#line.pop() !== undefined) this.#around.print('\b \b');
    } else if (key >= ' ') {
      if (this.#line.length >= maxLine) return this.#around.print('\u0007');
      this.#line.push(key);
      this.#around.print(key);
    }
  }

  #interrupt(): void {
    if (this.#isBusy) this.#around.interrupt();
    this.#isBusy = false;
    this.#status = 130;
    this.#around.print('^C\r\n');
    this.prompt();
  }

  /** It ends an empty line's shell, and does nothing in the middle of a line. */
  #endOfInput(): void {
    if (this.#line.length > 0) return;
    this.#around.print('\r\n');
    this.#end(this.#status);
  }

  #end(status: number): void {
    this.#isOver = true;
    this.#around.print('exit\r\n');
    this.#around.exit(status);
  }

  #enter(): void {
    this.#around.print('\r\n');
    const words = this.#line
      .join('')
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '');
    const [command, ...args] = words;
    if (command === 'exit') return this.#end(args[0] === undefined ? this.#status : Number.parseInt(args[0], 10) & 255);
    if (command !== undefined) this.#run(command, args);
    if (!this.#isBusy) this.prompt();
  }

  #run(command: string, args: readonly string[]): void {
    const { columns, rows } = this.#around.size();
    this.#status = 0;
    if (command === 'echo') return this.#around.print(`${args.join(' ')}\r\n`);
    if (command === 'size') return this.#around.print(`${columns} x ${rows}\r\n`);
    if (command === 'stty' && args[0] === 'size') return this.#around.print(`${rows} ${columns}\r\n`);
    if (command === 'yes') return this.#flood(repeated(args.join(' ') || 'y'));
    if (command === 'seq') return this.#flood(counted(Number.parseInt(args[0] ?? '0', 10)));
    this.#status = 127;
    this.#around.print(`bash: ${command}: command not found\r\n`);
  }

  #flood(pieces: Iterator<string, undefined>): void {
    this.#isBusy = true;
    this.#around.flood(pieces);
  }
}
