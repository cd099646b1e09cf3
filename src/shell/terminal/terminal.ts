/**
 * One client's terminal, held by one owner at a time: the conversation, a full-screen view on top of it, a program in a
 * container. Whoever opens it last has the keys; closing gives them back to the owner before.
 */
import type { HandedOverTerminal, TerminalReceiver } from '../../domain/terminal.ts';
import { ReplyFilter } from './replies.ts';
import { TerminalModes } from './modes.ts';
import type { TerminalPort } from './port.ts';
import { TerminalInput, TerminalOutput, type Colour } from './streams.ts';
import { Typing } from './typing.ts';

interface Owner {
  data(data: Buffer): void;
  resized(): void;
}

/** What Ink is given, for as long as it has the terminal. */
export interface InkStreams {
  readonly stdin: TerminalInput;
  readonly stdout: TerminalOutput;
  close(): void;
}

/** Typed before anybody has the terminal: more than this nobody types ahead, in bytes. */
const maxEarlyBytes = 64 * 1024;

export class Terminal {
  readonly #port: TerminalPort;
  readonly #owners: Owner[] = [];
  readonly #holding = new Set<Owner>();
  #early: Buffer[] = [];
  #earlyBytes = 0;
  readonly #modes = new TerminalModes();
  readonly #filter = new ReplyFilter();
  readonly colour: Colour;
  readonly closed: Promise<void>;
  #isClosed = false;
  #programs = 0;
  readonly #used: () => void;

  /** `used` is told of everything that a program shows that has the terminal. */
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

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** A sentence in the middle of a program that has the terminal, as wall(1) does it. */
  warnProgram(text: string): void {
    if (this.#programs > 0) this.write(`\x07\r\n${text}\r\n`);
  }

  /** Streams for Ink. */
  open(): InkStreams {
    const stdin = new TerminalInput();
    const stdout = new TerminalOutput(this.#port, this.colour, (text) => this.write(text));
    const typing = new Typing(
      (text) => stdin.feed(text),
      (full) => this.#hold(owner, full),
    );
    let resizing: NodeJS.Immediate | undefined;
    const owner: Owner = {
      data: (data) => typing.push(this.#filter.push(data)),
      // Once a turn: a client can send a thousand sizes in one piece, and everything is laid out anew for each.
      resized: () => {
        resizing ??= setImmediate(() => {
          resizing = undefined;
          stdout.resize(this.#port);
        });
      },
    };
    this.#owners.push(owner);
    for (const data of this.#early.splice(0)) owner.data(data);
    return {
      stdin,
      stdout,
      close: () => {
        this.#remove(owner);
        typing.close();
        stdout.flush();
        stdin.destroy();
      },
    };
  }

  /**
   * Hands the terminal to a program in a container, byte by byte. Giving it back restores its modes, and calls
   * `resume`.
   */
  handOver(resume: () => unknown): HandedOverTerminal {
    let receiver: TerminalReceiver | undefined;
    const owner: Owner = {
      data: (data) => receiver?.input(data),
      resized: () => receiver?.resize(this.columns, this.rows),
    };
    this.#owners.push(owner);
    this.#programs++;
    const port = this.#port;
    let styled = false;
    return {
      type: port.type,
      get columns() {
        return port.columns;
      },
      get rows() {
        return port.rows;
      },
      attach: (given) => void (receiver = given),
      output: async (data) => {
        this.#used();
        styled ||= data.includes(0x1b);
        this.#modes.read(data.toString('latin1'));
        port.write(data);
        await port.flushed();
      },
      hold: (held) => this.#hold(owner, held),
      giveBack: () => {
        if (!this.#owners.includes(owner)) return;
        this.#remove(owner);
        this.#hold(owner, false);
        this.#programs--;
        // A program that sent plain text may have done so because the terminal knows nothing else.
        // SGR off and the whole screen to scroll in: the program may have ended in the middle of anything. Setting the
        // scrolling region moves the cursor (DECSTBM), so that it is kept.
        if (styled) this.write(`${this.#modes.restore()}\x1b[0m\x1b7\x1b[r\x1b8`);
        resume();
      },
    };
  }

  write(text: string): void {
    if (this.#isClosed) return;
    this.#modes.read(text);
    this.#port.write(text);
  }

  /** Leaves the terminal as it was found. Resolves when the client has taken everything. */
  async restore(): Promise<void> {
    this.write(this.#modes.restore());
    await this.#port.flushed();
  }

  #receive(data: Buffer): void {
    const owner = this.#owners.at(-1);
    if (owner !== undefined) return owner.data(data);
    this.#earlyBytes += data.length;
    if (this.#earlyBytes <= maxEarlyBytes) this.#early.push(data);
  }

  /** The client sends while nobody holds it back. */
  #hold(owner: Owner, held: boolean): void {
    if (held) this.#holding.add(owner);
    else this.#holding.delete(owner);
    this.#port.hold(this.#holding.size > 0);
  }

  #remove(owner: Owner): void {
    const at = this.#owners.indexOf(owner);
    if (at !== -1) this.#owners.splice(at, 1);
  }
}
