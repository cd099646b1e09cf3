/**
 * A shell as a person has it: a real SSH connection with a terminal, and what that terminal would show (xterm.js,
 * headless). Tests type, wait for what the screen shows, and look at it; none waits for time to pass.
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
  /** Private key file; the admin's by default. */
  readonly key?: string;
  /** Login name; `manage` by default. */
  readonly user?: string;
  /** TERM. */
  readonly term?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A command, as `ssh -t host command`; without it the shell. */
  readonly command?: string;
}

/** Keys by the names of their terminal sequences (xterm). */
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

export class TestShell {
  readonly #client: Client;
  readonly #channel: ClientChannel;
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  /** Everything received, as text. */
  received = '';
  /** How often anything was received. */
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

  /** Types text as it is. */
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

  /** A paste that the terminal marks as one, where the shell has asked for that. */
  paste(text: string): this {
    return this.type(this.bracketedPaste ? `\x1b[200~${text}\x1b[201~` : text);
  }

  resize(columns: number, rows: number): this {
    this.#terminal.resize(columns, rows);
    this.#channel.setWindow(rows, columns, 0, 0);
    return this;
  }

  /** The rows that are shown now, without trailing blanks. */
  screen(): string[] {
    const { buffer, rows } = this.#terminal;
    return Array.from(
      { length: rows },
      (_, i) => buffer.active.getLine(buffer.active.viewportY + i)?.translateToString(true) ?? '',
    );
  }

  /** What is shown now as one text, without empty rows at its end. */
  text(): string {
    return this.screen().join('\n').trimEnd();
  }

  /** What scrolled off the screen and what is on it: one text, soft-wrapped lines put together. */
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

  get mouse(): string {
    return this.#terminal.modes.mouseTrackingMode;
  }

  /** Whether the cursor is shown, by the last sequence that said so. */
  get cursorShown(): boolean {
    return this.received.lastIndexOf('\x1b[?25l') <= this.received.lastIndexOf('\x1b[?25h');
  }

  /** Where the cursor is, counted from 0. */
  get cursor(): { readonly column: number; readonly row: number } {
    const { active } = this.#terminal.buffer;
    return { column: active.cursorX, row: active.cursorY };
  }

  /**
   * The characters in the cells of a row that is on the screen: the empty text in the second half of a wide one, a
   * blank where nothing is.
   */
  cells(row: number): string[] {
    const { buffer, cols } = this.#terminal;
    const line = buffer.active.getLine(buffer.active.viewportY + row);
    return Array.from({ length: cols }, (_, column) => {
      const cell = line?.getCell(column);
      return cell?.getWidth() === 0 ? '' : cell?.getChars() || ' ';
    });
  }

  /** The SGR colours of a cell that is on the screen: its foreground, or -1 for the terminal's own. */
  foreground(row: number, column: number): number {
    const { active } = this.#terminal.buffer;
    const cell = active.getLine(active.viewportY + row)?.getCell(column);
    return cell === undefined || cell.isFgDefault() ? -1 : cell.getFgColor();
  }

  /** The screen's text, as soon as it matches. */
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

  /** The screen's text, as soon as it does not match any more. */
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

  /** The whole conversation, as soon as it matches. */
  async said(pattern: RegExp | string): Promise<string> {
    return eventually(
      async () => {
        await this.#written;
        const text = this.scrollback();
        return (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)) ? text : undefined;
      },
      () => Promise.resolve(`the conversation has ${String(pattern)}; it is:\n${this.scrollback()}`),
    );
  }

  /** Resolves with the exit code when the server has ended the session. */
  async ended(): Promise<number> {
    await eventually(
      () => (this.isClosed ? true : undefined),
      () => Promise.resolve(`the session ends; it shows:\n${this.text()}`),
    );
    await this.#written;
    return this.exitCode ?? -1;
  }

  /** Hangs up without a word. */
  drop(): void {
    (this.#client as unknown as { _sock: { destroy(): void } })._sock.destroy();
  }

  close(): void {
    this.#client.end();
  }
}

/** Connects and asks for a terminal; the connection is closed when the test ends. */
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

/** A shell whose composer is there, closed when the test ends. */
export async function openShell(
  server: Pick<TestServer, 'port' | 'adminKey'>,
  options: ShellOptions = {},
): Promise<TestShell> {
  const shell = await connectShell(server, options);
  onTestFinished(() => shell.close());
  if (options.command === undefined) await shell.shows(/^› ?$/m);
  return shell;
}
