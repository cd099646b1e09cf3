/**
 * Splits what a terminal sends into keys, text and pastes, byte by byte, so that it does not matter where a slow line
 * cuts it. Everything else is swallowed: replies to queries (colours, names, settings), which arrive late and even if
 * another program sent the query, reports of the mouse and of the focus, and keys that no shell knows.
 */
import { StringDecoder } from 'node:string_decoder';
import { escapeKey, knownKey } from './knownKeys.ts';
import { maxPasteBytes } from './pastes.ts';

export type Token =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'key'; readonly sequence: string }
  | { readonly kind: 'paste'; readonly text: string }
  /** A paste of more than `maxPasteBytes`. */
  | { readonly kind: 'long-paste' };

/**
 * How long an escape character waits for the rest of a sequence before it is the Escape key, in milliseconds. Packets
 * of one key may come that far apart; readline(3) waits as long (keyseq-timeout).
 */
const escapeMs = 500;
/**
 * How long a string of the terminal may pause, in milliseconds. After that its introducer was a key, such as Alt-], and
 * what follows is typed.
 */
const maxPauseMs = 2000;
/** The longest control sequence that is looked at. */
const maxSequenceLength = 64;

const escape = 0x1b;
const bell = 0x07;
/** Introducers of strings: OSC, DCS, APC, PM, SOS (ECMA-48, 5.6). */
const strings = new Set([...']P_^X'].map((c) => c.charCodeAt(0)));
/** How many bytes follow a mouse report in the old encodings, by its final character (XTerm's ctlseqs). */
const mouseBytes: ReadonlyMap<string, number> = new Map([
  ['M', 3],
  ['t', 2],
  ['T', 6],
]);
const pasteEnd = Buffer.from('\x1b[201~');

type State = 'ground' | 'escape' | 'CSI' | 'SS3' | 'mouse' | 'string' | 'string-escape' | 'paste';

export class SequenceReader {
  readonly #emit: (tokens: readonly Token[]) => void;
  readonly #now: () => number;
  #tokens: Token[] = [];
  #state: State = 'ground';
  #decoder = new StringDecoder('utf8');
  #text: number[] = [];
  /** Whether the next character was typed with Alt. */
  #isAlt = false;
  /** Escape characters that wait for the rest of a sequence: one, or two for a sequence with Alt. */
  #escapes = 0;
  #escapeTimer: NodeJS.Timeout | undefined;
  #sequence = '';
  /** Bytes of a mouse report that are still to come. */
  #left = 0;
  #atMs = -Infinity;
  #paste: Buffer[] = [];
  #pasteBytes = 0;
  /** The last bytes of a paste, if they may begin its end. */
  #pasteTail: Buffer = Buffer.alloc(0);

  /** `emit` receives what was typed: within `push`, and later for an escape character that was a key. */
  constructor(emit: (tokens: readonly Token[]) => void, now: () => number = () => performance.now()) {
    this.#emit = emit;
    this.#now = now;
  }

  push(data: Buffer): void {
    clearTimeout(this.#escapeTimer);
    const now = this.#now();
    const isString = this.#state === 'string' || this.#state === 'string-escape';
    if (isString && now - this.#atMs > maxPauseMs) this.#state = 'ground';
    this.#atMs = now;
    for (let at = 0; at < data.length;) {
      if (this.#state === 'paste') at = this.#readPaste(data, at);
      else this.#read(data[at++] ?? 0);
    }
    this.#endText();
    if (this.#state === 'escape') this.#escapeTimer = setTimeout(() => this.#endEscape(), escapeMs);
    this.#flush();
  }

  /** Forgets an escape character that waits, because the program that got it has ended. */
  forgetEscape(): void {
    clearTimeout(this.#escapeTimer);
    if (this.#state === 'escape') this.#state = 'ground';
  }

  #read(byte: number): void {
    switch (this.#state) {
      case 'escape':
        return this.#readAfterEscape(byte);
      case 'CSI':
        return this.#readCsi(byte);
      case 'SS3':
        return this.#readSs3(byte);
      case 'mouse':
        if (--this.#left === 0) this.#state = 'ground';
        return;
      case 'string':
        return this.#readString(byte);
      case 'string-escape':
        if (byte === escape) return;
        if (byte === 0x5c) this.#state = 'ground';
        else {
          this.#beginEscape();
          this.#readAfterEscape(byte);
        }
        return;
      default:
        if (byte !== escape) this.#text.push(byte);
        else {
          this.#endText();
          this.#beginEscape();
        }
    }
  }

  #beginEscape(): void {
    this.#state = 'escape';
    this.#escapes = 1;
  }

  #readAfterEscape(byte: number): void {
    const c = String.fromCharCode(byte);
    if (byte === escape) {
      if (this.#escapes === 2) this.#key(escapeKey);
      this.#escapes = 2;
      return;
    }
    if (c === '[' || c === 'O') {
      this.#state = c === '[' ? 'CSI' : 'SS3';
      this.#sequence = '';
      return;
    }
    if (this.#escapes === 2) this.#key(escapeKey);
    if (strings.has(byte)) {
      this.#state = 'string';
      return;
    }
    this.#state = 'ground';
    // No key with Alt is a control character but Alt-Backspace: Escape was pressed, and then another key.
    this.#isAlt = byte >= 0x20 || byte === 0x08;
    if (!this.#isAlt) this.#key(escapeKey);
    this.#text.push(byte);
  }

  #readCsi(byte: number): void {
    const c = String.fromCharCode(byte);
    // The Linux console and PuTTY send some function keys as "ESC [ [ A".
    const isDouble = c === '[' && this.#sequence === '';
    const isShiftOfRxvt = c === '$' && /^[2-8]$/.test(this.#sequence);
    if (isDouble || (/[ -?]/.test(c) && !isShiftOfRxvt)) {
      // What is too long is no key, whatever it is.
      if (this.#sequence.length < maxSequenceLength) this.#sequence += c;
    } else if (isShiftOfRxvt || (byte >= 0x40 && byte <= 0x7e)) this.#endCsi(c);
    else this.#abort(byte);
  }

  #endCsi(final: string): void {
    const following = this.#sequence === '' ? mouseBytes.get(final) : undefined;
    if (following !== undefined) {
      this.#left = following;
      this.#state = 'mouse';
    } else if (final === '~' && this.#sequence === '200') {
      this.#state = 'paste';
      this.#paste = [];
      this.#pasteBytes = 0;
    } else this.#endSequence('CSI', final);
  }

  #readSs3(byte: number): void {
    const c = String.fromCharCode(byte);
    if (/[0-9;]/.test(c)) {
      if (this.#sequence.length < maxSequenceLength) this.#sequence += c;
    } else if (byte >= 0x20 && byte <= 0x7e) this.#endSequence('SS3', c);
    else this.#abort(byte);
  }

  #endSequence(introducer: 'CSI' | 'SS3', final: string): void {
    this.#state = 'ground';
    this.#key(knownKey({ introducer, parameters: this.#sequence, final, alt: this.#escapes === 2 }));
  }

  /** Drops a sequence that ends with what belongs to none, which is read as typed. */
  #abort(byte: number): void {
    this.#state = 'ground';
    this.#read(byte);
  }

  /** Reads one byte of a string, which ends at BEL or ST (ESC \). No terminal sends other control characters in it. */
  #readString(byte: number): void {
    if (byte === bell) this.#state = 'ground';
    else if (byte === escape) this.#state = 'string-escape';
    else if (byte < 0x20) this.#abort(byte);
  }

  /** Takes a paste from `at` up to its end. Returns where it stopped. */
  #readPaste(data: Buffer, at: number): number {
    const before = this.#pasteTail.length;
    const all = Buffer.concat([this.#pasteTail, data.subarray(at)]);
    const end = all.indexOf(pasteEnd);
    const taken = all.subarray(0, end === -1 ? Math.max(0, all.length - pasteEnd.length + 1) : end);
    const room = Math.max(0, maxPasteBytes - this.#pasteBytes);
    if (room > 0) this.#paste.push(Buffer.from(taken.subarray(0, room)));
    this.#pasteBytes += taken.length;
    this.#pasteTail = end === -1 ? Buffer.from(all.subarray(taken.length)) : Buffer.alloc(0);
    if (end === -1) return data.length;
    if (this.#pasteBytes > maxPasteBytes) this.#tokens.push({ kind: 'long-paste' });
    else this.#tokens.push({ kind: 'paste', text: Buffer.concat(this.#paste).toString('utf8') });
    this.#paste = [];
    this.#state = 'ground';
    return at - before + end + pasteEnd.length;
  }

  /** Passes on the escape characters that wait as keys. */
  #endEscape(): void {
    for (let i = 0; i < this.#escapes; i++) this.#key(escapeKey);
    this.#state = 'ground';
    this.#flush();
  }

  #endText(): void {
    if (this.#text.length === 0) return;
    const text = this.#decoder.write(Buffer.from(this.#text));
    this.#text = [];
    if (text === '') return;
    const [first = ''] = this.#isAlt ? text : '';
    if (this.#isAlt) this.#key(`\x1b${first}`);
    this.#isAlt = false;
    if (text.length > first.length) this.#tokens.push({ kind: 'text', text: text.slice(first.length) });
  }

  #key(sequence: string): void {
    this.#endText();
    if (sequence.startsWith('\x1b')) this.#tokens.push({ kind: 'key', sequence });
    else if (sequence !== '') this.#tokens.push({ kind: 'text', text: sequence });
  }

  #flush(): void {
    const tokens = this.#tokens;
    this.#tokens = [];
    if (tokens.length > 0) this.#emit(tokens);
  }
}
