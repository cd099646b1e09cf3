/** A terminal in a simulated container. */
import { posix } from 'node:path';
import { characters } from '../../host/incus/terminal.ts';
import type { HostTerminal, TerminalRequest } from '../../host/incus/streams.ts';
import { TerminalOutput } from '../../host/incus/terminalOutput.ts';
import type { Failure } from '../../domain/failure.ts';
import { LineShell } from './lineShell.ts';

/**
 * Exit statuses of an exec whose container stops (SIGKILL) or whose client hangs up (SIGHUP) (incus 6.0.4, observed).
 */
const killed = 137;
const hungUp = 129;

const shells = ['bash', 'sh', 'login', 'runuser', 'setpriv', 'su'];

/** Reports whether a simulated container has a program. It has shells, and programs that start one. */
export function isShell(program: string): boolean {
  return shells.includes(/^(\/usr(\/local)?)?\/s?bin\//.test(program) ? posix.basename(program) : program);
}

/** Returns the user of a shell, from `su - alice`, `setpriv --reuid alice` and the like. Default: root, as in Incus. */
function userOf(argv: readonly string[]): string {
  const [program = '', ...args] = argv;
  if (/(^|\/)(bash|sh)$/.test(program)) return 'root';
  const named = args.find((argument, index) => args[index - 1] === '--reuid' || argument.startsWith('--reuid='));
  if (named !== undefined) return named.replace(/^--reuid=/, '');
  return args.filter((argument) => /^[a-z_][a-z0-9_-]*$/.test(argument)).at(-1) ?? 'root';
}

export class SimulatedTerminal implements HostTerminal {
  readonly exit: Promise<number>;
  readonly #exit = Promise.withResolvers<number>();
  readonly #output: TerminalOutput;
  readonly #shell: LineShell;
  #columns: number;
  #rows: number;
  #flood: Iterator<string, undefined> | undefined;
  #isHeldBack = false;
  #isPouring = false;
  #isOver = false;

  constructor(request: TerminalRequest) {
    this.#columns = characters(request.columns);
    this.#rows = characters(request.rows);
    this.#output = new TerminalOutput({
      pause: () => void (this.#isHeldBack = true),
      resume: () => {
        this.#isHeldBack = false;
        this.#pour();
      },
    });
    this.#shell = new LineShell({
      user: userOf(request.argv),
      host: request.instance,
      size: () => ({ columns: this.#columns, rows: this.#rows }),
      print: (text) => this.#output.add(Buffer.from(text)),
      flood: (pieces) => {
        this.#flood = pieces;
        this.#pour();
      },
      interrupt: () => void (this.#flood = undefined),
      exit: (status) => this.#end(() => this.#exit.resolve(status)),
    });
    this.exit = this.#exit.promise;
    // Without a handler, a rejection that no caller awaits would end the process.
    this.exit.catch(() => undefined);
    this.#shell.prompt();
  }

  /** Prints the flood piece by piece, until the output is paused. */
  #pour(): void {
    if (this.#isPouring) return;
    this.#isPouring = true;
    setImmediate(() => {
      this.#isPouring = false;
      if (this.#flood === undefined || this.#isHeldBack || this.#isOver) return;
      const { value } = this.#flood.next();
      if (value === undefined) {
        this.#flood = undefined;
        return this.#shell.finished();
      }
      this.#output.add(Buffer.from(value));
      this.#pour();
    });
  }

  #end(settle: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#flood = undefined;
    this.#output.complete();
    void this.#output.ended.then(settle);
  }

  /** Ends the terminal because its container has stopped. */
  kill(): void {
    this.#end(() => this.#exit.resolve(killed));
  }

  /** Ends the terminal because its connection is lost. */
  lose(why: Failure): void {
    this.#output.discard();
    this.#end(() => this.#exit.reject(why));
  }

  write(data: Buffer): boolean {
    setImmediate(() => {
      if (!this.#isOver) this.#shell.input(data);
    });
    return true;
  }

  /** Does nothing: {@link write} never reports back-pressure. */
  onDrain(): void {
    return undefined;
  }

  resize(columns: number, rows: number): void {
    this.#columns = characters(columns);
    this.#rows = characters(rows);
  }

  onData(listener: (data: Buffer) => void): void {
    this.#output.listen(listener);
  }

  pause(): void {
    this.#output.pause();
  }

  resume(): void {
    this.#output.resume();
  }

  close(): void {
    this.#output.discard();
    this.#end(() => this.#exit.resolve(hungUp));
  }
}
