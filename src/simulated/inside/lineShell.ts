/**
 * A minimal shell for trying out terminals: it echoes, edits with backspace, and has a handful of commands. Input is
 * dropped while a command runs, except Ctrl-C.
 */
import { StringDecoder } from 'node:string_decoder';

/** What a {@link LineShell} needs from its terminal. */
export interface ShellTerminal {
  readonly user: string;
  readonly host: string;
  /** Returns the current size of the terminal in characters. */
  size(): { readonly columns: number; readonly rows: number };
  print(text: string): void;
  /** Starts printing the pieces of an iterator, as fast as the terminal takes them. */
  flood(pieces: Iterator<string, undefined>): void;
  /** Stops the flood. */
  interrupt(): void;
  exit(status: number): void;
}

const maxLineLength = 4096;

/** Sequences of arrow keys and other function keys (ECMA-48). The shell ignores them. */
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
  readonly #terminal: ShellTerminal;
  readonly #decoder = new StringDecoder('utf8');
  #line: string[] = [];
  #status = 0;
  #isBusy = false;
  #isOver = false;

  constructor(terminal: ShellTerminal) {
    this.#terminal = terminal;
  }

  prompt(): void {
    const { user, host } = this.#terminal;
    this.#line = [];
    this.#terminal.print(`${user}@${host}:~${user === 'root' ? '#' : '$'} `);
  }

  /** Takes what the user typed. */
  input(data: Buffer): void {
    for (const key of this.#decoder.write(data).replace(keySequences, '')) {
      if (this.#isOver) return;
      this.#press(key);
    }
  }

  /** Called when a flood has ended by itself. */
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
      if (this.#line.pop() !== undefined) this.#terminal.print('\b \b');
    } else if (key >= ' ') {
      if (this.#line.length >= maxLineLength) return this.#terminal.print('\u0007');
      this.#line.push(key);
      this.#terminal.print(key);
    }
  }

  #interrupt(): void {
    if (this.#isBusy) this.#terminal.interrupt();
    this.#isBusy = false;
    this.#status = 130;
    this.#terminal.print('^C\r\n');
    this.prompt();
  }

  /** Handles Ctrl-D: ends the shell on an empty line and does nothing on any other. */
  #endOfInput(): void {
    if (this.#line.length > 0) return;
    this.#terminal.print('\r\n');
    this.#end(this.#status);
  }

  #end(status: number): void {
    this.#isOver = true;
    this.#terminal.print('exit\r\n');
    this.#terminal.exit(status);
  }

  #enter(): void {
    this.#terminal.print('\r\n');
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
    const { columns, rows } = this.#terminal.size();
    this.#status = 0;
    if (command === 'echo') return this.#terminal.print(`${args.join(' ')}\r\n`);
    if (command === 'printf')
      return this.#terminal.print(args.join(' ').replaceAll('\\e', '\u001b').replaceAll('\\016', '\u000e'));
    if (command === 'size') return this.#terminal.print(`${columns} x ${rows}\r\n`);
    if (command === 'stty' && args[0] === 'size') return this.#terminal.print(`${rows} ${columns}\r\n`);
    if (command === 'yes') return this.#flood(repeated(args.join(' ') || 'y'));
    if (command === 'seq') return this.#flood(counted(Number.parseInt(args[0] ?? '0', 10)));
    this.#status = 127;
    this.#terminal.print(`bash: ${command}: command not found\r\n`);
  }

  #flood(pieces: Iterator<string, undefined>): void {
    this.#isBusy = true;
    this.#terminal.flood(pieces);
  }
}
