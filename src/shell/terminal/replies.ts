/**
 * Takes out of the input what a terminal says by itself. Replies to questions (colours, names, settings) arrive like
 * typed text, late, split over packets, and also when somebody else asked. Ink's own parser drops unknown CSI
 * sequences; the string sequences (OSC, DCS, APC, PM, SOS: ECMA-48, 5.6) would be typed into the line.
 */
import { StringDecoder } from 'node:string_decoder';

const introducers = new Set([']', 'P', '_', '^', 'X']);
/** A reply is never longer; whatever follows is typed. */
const maxReplyLength = 4096;
/** A reply that is not complete after this is none (somebody typed Alt-]), in milliseconds. */
const patienceMs = 150;

export class ReplyFilter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #now: () => number;
  #inside = false;
  #escaped = false;
  #length = 0;
  #sinceMs = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** What of `data` was typed. An escape character at its end is handed on, because it may be the key of that name. */
  push(data: Buffer): string {
    const text = this.#decoder.write(data);
    if (this.#inside && this.#now() - this.#sinceMs > patienceMs) this.#inside = false;
    if (!this.#inside && !this.#escaped && !text.includes('\x1b')) return text;
    let typed = '';
    for (const c of text) {
      if (this.#inside) this.#read(c);
      else if (this.#escaped && introducers.has(c)) {
        // The escape character itself went on already where the packets were split: Ink waits for what follows it, and
        // drops it.
        typed = typed.endsWith('\x1b') ? typed.slice(0, -1) : typed;
        this.#begin();
      } else {
        typed += c;
        this.#escaped = c === '\x1b';
      }
    }
    return typed;
  }

  #begin(): void {
    this.#inside = true;
    this.#escaped = false;
    this.#length = 0;
    this.#sinceMs = this.#now();
  }

  /** Ends at BEL or at ST (ESC \). */
  #read(c: string): void {
    this.#length++;
    if (c === '\x07' || (this.#escaped && c === '\\') || this.#length > maxReplyLength) {
      this.#inside = false;
      this.#escaped = false;
      return;
    }
    this.#escaped = c === '\x1b';
  }
}
