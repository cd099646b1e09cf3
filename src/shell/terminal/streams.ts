/** A readable and a writable stream with the properties of a TTY, which Ink uses as its terminal. */
import { Readable, Writable } from 'node:stream';

/** Whether a shell shows colours. `none` keeps bold, inverse and underline. */
export type Colour = 'full' | 'none';

/** The typed input, as Ink reads it. */
export class TerminalInput extends Readable {
  readonly isTTY = true;
  isRaw = false;

  constructor() {
    super({ highWaterMark: 64 * 1024 });
    this.on('error', () => undefined);
  }

  feed(text: string): void {
    if (text !== '' && !this.destroyed) this.push(text);
  }

  override _read(): void {
    // `feed` pushes data when it arrives.
  }

  setRawMode(raw: boolean): this {
    this.isRaw = raw;
    return this;
  }

  // Ink keeps its process alive through the terminal. Here the server keeps the process alive.
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

const sgr = /\x1b\[([0-9;]*)m/g;

/** Removes the colours from SGR sequences (ECMA-48, 8.3.117). */
export function withoutColour(text: string): string {
  return text.replace(sgr, (whole, list: string) => {
    const given = list === '' ? ['0'] : list.split(';');
    const kept: string[] = [];
    for (let i = 0; i < given.length; i++) {
      const code = Number(given[i]);
      if (code === 38 || code === 48) i += given[i + 1] === '5' ? 2 : 4;
      else if (!((code >= 30 && code <= 49) || (code >= 90 && code <= 107))) kept.push(String(code));
    }
    return kept.length === given.length ? whole : kept.length === 0 ? '' : `\x1b[${kept.join(';')}m`;
  });
}

/** The drawn output. All writes of one turn of the event loop are sent together, because a frame is several writes. */
export class TerminalOutput extends Writable {
  readonly isTTY = true;
  columns: number;
  rows: number;
  readonly #send: (text: string) => void;
  readonly #colour: Colour;
  #pending = '';
  #scheduled = false;

  constructor(size: { readonly columns: number; readonly rows: number }, colour: Colour, send: (text: string) => void) {
    super({ decodeStrings: false });
    this.columns = size.columns;
    this.rows = size.rows;
    this.#colour = colour;
    this.#send = send;
    this.on('error', () => undefined);
    // Every component that uses the size adds its own listener.
    this.setMaxListeners(0);
  }

  resize({ columns, rows }: { readonly columns: number; readonly rows: number }): void {
    if (columns === this.columns && rows === this.rows) return;
    this.columns = columns;
    this.rows = rows;
    this.emit('resize');
  }

  /** Sends the pending output at once. */
  flush(): void {
    this.#scheduled = false;
    const text = this.#pending;
    this.#pending = '';
    if (text === '') return;
    // An SSH channel has no kernel terminal that would turn a line feed into CR LF.
    const lines = text.replace(/\r?\n/g, '\r\n');
    this.#send(this.#colour === 'none' ? withoutColour(lines) : lines);
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#pending += typeof chunk === 'string' ? chunk : chunk.toString('utf8');
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.flush());
    }
    done();
  }

  override _final(done: () => void): void {
    this.flush();
    done();
  }
}
