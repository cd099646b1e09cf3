/**
 * A shell over a real SSH connection, with a headless terminal (xterm.js) that renders its screen. Tests type, wait for
 * the screen to show something, and check it. No test waits for a fixed time.
 */
import { readFile } from 'node:fs/promises';
import ssh2, { type Client, type ClientChannel } from 'ssh2';
import xterm from '@xterm/headless';
import { onTestFinished } from 'vitest';
import { eventually, type TestServer } from './server.ts';
import { useModernWidths } from './unicodeWidths.ts';

export interface ShellOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** Private key file. Default: the admin's. */
  readonly key?: string;
  /** Login name. Default: `manage`. */
  readonly user?: string;
  /** TERM. */
  readonly term?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A command, as in `ssh -t host command`. Default: the shell. */
  readonly command?: string;
}

/** Terminal sequences by the names of their keys (xterm). */
const sequences = {
  enter: '\r',
  tab: '\t',
  escape: '\x1b',
  up: '\x1b[A',
  down: '\x1b[B',
  right: '\x1b[C',
  left: '\x1b[D',
  home: '\x1b[H',
  end: '\x1b[F',
  'page-up': '\x1b[5~',
  'page-down': '\x1b[6~',
  'shift-tab': '\x1b[Z',
  delete: '\x1b[3~',
  backspace: '\x7f',
} as const;

export type KeyName = keyof typeof sequences | `ctrl-${string}` | `alt-${string}`;

/** Cells of one row that look the same. */
export interface StyledRun {
  readonly column: number;
  readonly text: string;
  /** The colour of the text: 0 to 15 of the terminal's palette, or null for its default. */
  readonly colour: number | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly inverse: boolean;
}

export class TestShell {
  readonly #client: Client;
  readonly #channel: ClientChannel;
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  /** Everything received, as text. */
  received = '';
  /** Number of pieces received. */
  pieces = 0;
  exitCode: number | undefined;
  isClosed = false;
  #written: Promise<void> = Promise.resolve();

  constructor(client: Client, channel: ClientChannel, columns: number, rows: number) {
    this.#client = client;
    this.#channel = channel;
    this.#terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 5000, allowProposedApi: true });
    useModernWidths(this.#terminal.unicode);
    const take = (data: Buffer): void => {
      this.received += data.toString('utf8');
      this.pieces++;
      this.#written = new Promise((resolve) => this.#terminal.write(data, resolve));
    };
    channel.on('data', take);
    channel.stderr.on('data', take);
    channel.on('exit', (code: number | null) => (this.exitCode = code ?? -1));
    channel.on('close', () => (this.isClosed = true));
    client.on('close', () => (this.isClosed = true));
  }

  /** Types text literally. */
  type(text: string): this {
    this.#channel.write(text);
    return this;
  }

  press(...keys: KeyName[]): this {
    for (const key of keys) {
      if (key in sequences) this.type(sequences[key as keyof typeof sequences]);
      else if (key.startsWith('ctrl-')) this.type(String.fromCharCode(key.charCodeAt(5) & 0x1f));
      else this.type(`\x1b${key.slice(4)}`);
    }
    return this;
  }

  /** Sends a signal (RFC 4254, section 6.9). */
  signal(name: 'INT' | 'TERM' | 'HUP'): this {
    this.#channel.signal(name);
    return this;
  }

  /** Pastes text, bracketed if the shell has enabled that. */
  paste(text: string): this {
    return this.type(this.bracketedPaste ? `\x1b[200~${text}\x1b[201~` : text);
  }

  resize(columns: number, rows: number): this {
    this.#terminal.resize(columns, rows);
    this.#channel.setWindow(rows, columns, 0, 0);
    return this;
  }

  /** Returns the rows of the screen, without trailing blanks. */
  screen(): string[] {
    const { buffer, rows } = this.#terminal;
    return Array.from(
      { length: rows },
      (_, i) => buffer.active.getLine(buffer.active.viewportY + i)?.translateToString(true) ?? '',
    );
  }

  /** Returns the screen as one text, without empty rows at the end. */
  text(): string {
    return this.screen().join('\n').trimEnd();
  }

  /** Returns the scrollback and the screen as one text, with soft-wrapped lines joined. */
  scrollback(): string {
    const { normal } = this.#terminal.buffer;
    let all = '';
    for (let i = 0; i < normal.length; i++) {
      const line = normal.getLine(i);
      all +=
        (line?.isWrapped === true || i === 0 ? '' : '\n') +
        (line?.translateToString(!(normal.getLine(i + 1)?.isWrapped ?? false)) ?? '');
    }
    return all.trimEnd();
  }

  get onAlternateScreen(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }

  get bracketedPaste(): boolean {
    return this.#terminal.modes.bracketedPasteMode;
  }

  get insertMode(): boolean {
    return this.#terminal.modes.insertMode;
  }

  get mouse(): string {
    return this.#terminal.modes.mouseTrackingMode;
  }

  /** Whether the cursor is visible, according to the last sequence that changed it. */
  get cursorShown(): boolean {
    return this.received.lastIndexOf('\x1b[?25l') <= this.received.lastIndexOf('\x1b[?25h');
  }

  /** Position of the cursor, counted from 0. */
  get cursor(): { readonly column: number; readonly row: number } {
    const { active } = this.#terminal.buffer;
    return { column: active.cursorX, row: active.cursorY };
  }

  /** Returns the characters in the cells of a row. The second half of a wide character is '', an empty cell is ' '. */
  cells(row: number): string[] {
    const { buffer, cols } = this.#terminal;
    const line = buffer.active.getLine(buffer.active.viewportY + row);
    return Array.from({ length: cols }, (_, column) => {
      const cell = line?.getCell(column);
      return cell?.getWidth() === 0 ? '' : cell?.getChars() || ' ';
    });
  }

  /** Returns the foreground colour (SGR) of a cell, or -1 for the terminal's default. */
  foreground(row: number, column: number): number {
    const { active } = this.#terminal.buffer;
    const cell = active.getLine(active.viewportY + row)?.getCell(column);
    return cell === undefined || cell.isFgDefault() ? -1 : cell.getFgColor();
  }

  /**
   * Returns rows as runs of equal style: the screen, or everything since the beginning. Rows are without trailing
   * blanks.
   */
  styled(of: 'screen' | 'all' = 'screen'): StyledRun[][] {
    const { buffer, rows, cols } = this.#terminal;
    const { active } = buffer;
    const first = of === 'all' ? 0 : active.viewportY;
    const count = of === 'all' ? active.length : rows;
    return Array.from({ length: count }, (_, row) => {
      const line = active.getLine(first + row);
      const runs: StyledRun[] = [];
      const used = line?.translateToString(true).length ?? 0;
      for (let column = 0; column < Math.min(cols, used); column++) {
        const cell = line?.getCell(column);
        if (cell === undefined || cell.getWidth() === 0) continue;
        const style = {
          colour: cell.isFgDefault() ? null : cell.getFgColor(),
          bold: cell.isBold() !== 0,
          dim: cell.isDim() !== 0,
          inverse: cell.isInverse() !== 0,
        };
        const last = runs.at(-1);
        const text = cell.getChars() || ' ';
        if (
          last !== undefined &&
          Object.entries(style).every(([key, value]) => last[key as keyof typeof style] === value)
        )
          runs[runs.length - 1] = { ...last, text: last.text + text };
        else runs.push({ column, text, ...style });
      }
      return runs;
    });
  }

  /** Waits until the screen matches and returns its text. */
  async shows(pattern: RegExp | string, limitMs = 20_000): Promise<string> {
    return eventually(
      async () => {
        await this.#written;
        const text = this.text();
        return (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)) ? text : undefined;
      },
      () => Promise.resolve(`the screen shows ${String(pattern)}; it shows:\n${this.text()}`),
      limitMs,
    );
  }

  /** Waits until the screen does not match and returns its text. */
  async showsNot(pattern: RegExp): Promise<string> {
    return eventually(
      async () => {
        await this.#written;
        const text = this.text();
        return pattern.test(text) ? undefined : text;
      },
      () => Promise.resolve(`the screen shows no ${String(pattern)}; it shows:\n${this.text()}`),
    );
  }

  /** Waits until scrollback and screen match and returns their text. */
  async said(pattern: RegExp | string): Promise<string> {
    return eventually(
      async () => {
        await this.#written;
        const text = this.scrollback();
        return (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)) ? text : undefined;
      },
      () => Promise.resolve(`the scrollback shows ${String(pattern)}; it shows:\n${this.scrollback()}`),
    );
  }

  /** Waits for the end of the session and returns its exit code. */
  async ended(): Promise<number> {
    await eventually(
      () => (this.isClosed ? true : undefined),
      () => Promise.resolve(`the session ends; it shows:\n${this.text()}`),
    );
    await this.#written;
    return this.exitCode ?? -1;
  }

  /** Drops the connection without a disconnect message. */
  drop(): void {
    (this.#client as unknown as { _sock: { destroy(): void } })._sock.destroy();
  }

  close(): void {
    this.#client.end();
  }
}

/** Connects, and requests a terminal and the shell or a command. */
export async function connectShell(
  server: Pick<TestServer, 'port' | 'adminKey'>,
  options: ShellOptions = {},
): Promise<TestShell> {
  const { columns = 80, rows = 24, user = 'manage', term = 'xterm-256color' } = options;
  const client = new ssh2.Client();
  const privateKey = await readFile(options.key ?? server.adminKey);
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve);
    client.once('error', reject);
    client.connect({ host: '127.0.0.1', port: server.port, username: user, privateKey });
  });
  client.on('error', () => undefined);
  const pty = { term, cols: columns, rows, width: 0, height: 0, modes: {} };
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    const done = (error: Error | undefined, opened: ClientChannel): void =>
      error === undefined ? resolve(opened) : reject(error);
    const env = options.env === undefined ? {} : { env: options.env };
    if (options.command === undefined) client.shell(pty, env, done);
    else client.exec(options.command, { pty, ...env }, done);
  });
  return new TestShell(client, channel, columns, rows);
}

/** Opens a shell and waits for its composer. Closes it when the test ends. */
export async function openShell(
  server: Pick<TestServer, 'port' | 'adminKey'>,
  options: ShellOptions = {},
): Promise<TestShell> {
  const shell = await connectShell(server, options);
  onTestFinished(() => shell.close());
  if (options.command === undefined) await shell.shows(/^› ?$/m);
  return shell;
}
