/**
 * One client's terminal, which has one owner at a time: the shell, a full-screen view above it, or a program in a
 * container. The newest owner receives the keys; when it closes, the previous owner receives them again.
 */
import type { HandedOverTerminal, TerminalReceiver } from '../../domain/terminal.ts';
import { TerminalModes } from './terminalModes.ts';
import type { TerminalPort } from './port.ts';
import { TerminalInput, TerminalOutput, type Colour } from './streams.ts';
import { InputPacer } from './inputPacer.ts';
import { SequenceReader, type Token } from './sequenceReader.ts';

interface Owner {
  /** Receives what was typed, as it came. */
  data?(data: Buffer): void;
  /** Receives the keys in what was typed. */
  typed?(tokens: readonly Token[]): void;
  resized(): void;
}

/** The streams that Ink reads and writes while it owns the terminal. */
export interface InkStreams {
  readonly stdin: TerminalInput;
  readonly stdout: TerminalOutput;
  close(): void;
}

/** The control character that selects another charset (SO). */
const shiftOut = 0x0e;

/** Sequences that show nothing: control sequences, charsets, the keypad, the saved cursor. */
const invisible = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[()].|[=>78])/gs;

/** Ctrl-D, the end of input for a program. */
const endOfInput = Buffer.from([0x04]);

/** Input before the terminal has an owner from which on the client has to hold back the rest, in bytes. */
const maxEarlyBytes = 64 * 1024;

export class Terminal {
  readonly #port: TerminalPort;
  readonly #owners: Owner[] = [];
  /** Who asks the client to hold back input: an owner, or what is kept for the next one. */
  readonly #holding = new Set<Owner | 'early'>();
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #isKept = false;
  #typedAtMs = 0;
  readonly #modes = new TerminalModes();
  /**
   * Reads what a program gets too: the rest of a reply to its query may come after its end, when the shell has the
   * terminal again.
   */
  readonly #reader = new SequenceReader((tokens) => this.#owners.at(-1)?.typed?.(tokens));
  readonly colour: Colour;
  readonly closed: Promise<void>;
  #isClosed = false;
  /** Take the terminal back from the programs that have it. */
  readonly #programs = new Set<() => unknown>();
  readonly #used: () => void;

  /** `used` is called for all output of a program that owns the terminal. */
  constructor(port: TerminalPort, used: () => void = () => undefined) {
    this.#port = port;
    this.#used = used;
    this.colour = port.environment.has('NO_COLOR') && port.environment.get('NO_COLOR') !== '' ? 'none' : 'full';
    this.closed = new Promise((resolve) => {
      port.attach({
        input: (data) => this.#receive(data),
        resize: () => {
          for (const owner of this.#owners) owner.resized();
        },
        end: () => {
          this.#isClosed = true;
          this.#reader.forgetEscape();
          resolve();
        },
      });
    });
  }

  get type(): string {
    return this.#port.type;
  }

  get columns(): number {
    return this.#port.columns;
  }

  get rows(): number {
    return this.#port.rows;
  }

  get hasInputEnded(): boolean {
    return this.#port.hasInputEnded;
  }

  /** When the keys arrived that Ink has got last, see `performance.now`. */
  get typedAtMs(): number {
    return this.#typedAtMs;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Writes a line into the output of a program that owns the terminal, as wall(1) does. */
  warnProgram(text: string): void {
    if (this.#programs.size > 0) this.write(`\x07\r\n${text}\r\n`);
  }

  /** Keeps the input for the program that gets the terminal next, whatever has it before. */
  keepForProgram(): void {
    this.#isKept = true;
  }

  /** Makes Ink the owner of the terminal. `refused` is called for a paste that is too long. */
  open(refused: () => void = () => undefined): InkStreams {
    const stdin = new TerminalInput();
    const stdout = new TerminalOutput(this.#port, this.colour, (text) => this.write(text));
    const port = this.#port;
    const pacer = new InputPacer(
      (text, arrivedMs) => {
        const beganMs = performance.now();
        this.#typedAtMs = arrivedMs;
        stdin.feed(text);
        // Ink handles the keys in the next tick.
        process.nextTick(() => port.spend(performance.now() - beganMs));
      },
      (full) => this.#hold(owner, full),
      (act) => port.later(act),
    );
    let cancelResize: (() => void) | undefined;
    const owner: Owner = {
      typed: (tokens) => {
        pacer.push(tokens);
        if (tokens.some(({ kind }) => kind === 'long-paste')) refused();
      },
      // At most once per turn: a client can send a thousand sizes in one packet, and each costs a new layout.
      resized: () => {
        cancelResize ??= port.later(() => {
          cancelResize = undefined;
          const beganMs = performance.now();
          stdout.resize(port);
          port.spend(performance.now() - beganMs);
        });
      },
    };
    this.#owners.push(owner);
    if (!this.#isKept) for (const data of this.#takeEarly()) this.#reader.push(data);
    return {
      stdin,
      stdout,
      close: () => {
        this.#remove(owner);
        cancelResize?.();
        pacer.close();
        stdout.flush();
        stdin.destroy();
      },
    };
  }

  /** Hands the raw terminal to a program in a container. Giving it back restores its modes and calls `resume`. */
  handOver(resume: () => unknown): HandedOverTerminal {
    let receiver: TerminalReceiver | undefined;
    const owner: Owner = {
      data: (data) => (receiver === undefined ? this.#keep(data) : receiver.input(data)),
      resized: () => receiver?.resize(this.columns, this.rows),
    };
    this.#owners.push(owner);
    this.#isKept = false;
    const port = this.#port;
    let styled = false;
    let isLineStart = true;
    const giveBack = (): boolean => {
      if (!this.#owners.includes(owner)) return false;
      this.#remove(owner);
      this.#hold(owner, false);
      this.#reader.forgetEscape();
      this.#programs.delete(giveBack);
      // Reset SGR and the scrolling region: the program may have ended at any point. Setting the region moves the
      // cursor (DECSTBM), hence the save and restore around it. A program that sent only plain text may have done so
      // because the terminal understands nothing else, so nothing is sent after one.
      if (styled) this.write(`${this.#modes.restore()}\x1b[0m\x1b7\x1b[r\x1b8`);
      // What comes next, such as the reason of the end, has a line of its own.
      if (!isLineStart) this.write('\r\n');
      return true;
    };
    this.#programs.add(giveBack);
    return {
      type: port.type,
      get columns() {
        return port.columns;
      },
      get rows() {
        return port.rows;
      },
      attach: (given) => {
        receiver = given;
        const early = this.#takeEarly();
        for (const data of early) given.input(data);
        // The shell has read the end that the program would wait for.
        if (port.hasInputEnded && early.at(-1)?.at(-1) !== 0x04) given.input(endOfInput);
      },
      output: async (data) => {
        // What was still on its way when the shell took the terminal back would change its modes again.
        if (!this.#owners.includes(owner)) return;
        this.#used();
        styled ||= data.includes(0x1b) || data.includes(shiftOut);
        const text = data.toString('latin1');
        this.#modes.read(text);
        const shown = text.replace(invisible, '');
        if (shown !== '') isLineStart = /[\r\n]$/.test(shown);
        port.write(data);
        await port.flushed();
      },
      hold: (held) => this.#hold(owner, held),
      giveBack: () => {
        if (giveBack()) resume();
      },
    };
  }

  /** Takes the terminal back from programs whose shell ends, so that its last words are seen. */
  takeBack(): void {
    for (const giveBack of this.#programs) giveBack();
  }

  write(text: string): void {
    if (this.#isClosed) return;
    this.#modes.read(text);
    this.#port.write(text);
  }

  /** Restores the terminal's modes. Resolves when all output has been sent. */
  async restore(): Promise<void> {
    this.write(this.#modes.restore());
    await this.#port.flushed();
  }

  #receive(data: Buffer): void {
    const owner = this.#owners.at(-1);
    if (owner === undefined || this.#isKept) return this.#keep(data);
    owner.data?.(data);
    this.#reader.push(data);
  }

  #keep(data: Buffer): void {
    this.#early.push(data);
    this.#earlyBytes += data.length;
    if (this.#earlyBytes > maxEarlyBytes) this.#hold('early', true);
  }

  #takeEarly(): readonly Buffer[] {
    this.#earlyBytes = 0;
    this.#hold('early', false);
    return this.#early.splice(0);
  }

  /** Reading from the client pauses while anything holds it. */
  #hold(holder: Owner | 'early', held: boolean): void {
    if (held === this.#holding.has(holder)) return;
    if (held) this.#holding.add(holder);
    else this.#holding.delete(holder);
    this.#port.hold(this.#holding.size > 0);
  }

  #remove(owner: Owner): void {
    const at = this.#owners.indexOf(owner);
    if (at !== -1) this.#owners.splice(at, 1);
  }
}
