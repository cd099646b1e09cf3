/**
 * Removes the terminal's own replies from the input. Replies to queries (colours, names, settings) arrive like typed
 * text: late, split over packets, and even if another program sent the query. Ink's parser drops unknown CSI sequences;
 * string sequences (OSC, DCS, APC, PM, SOS: ECMA-48, 5.6) would end up in the line.
 */
import { StringDecoder } from 'node:string_decoder';

const introducers = new Set([']', 'P', '_', '^', 'X']);
/** The longest reply; input beyond it counts as typed. */
const maxReplyLength = 4096;
/** How long a reply may take to complete, in milliseconds. After that the introducer was a key, such as Alt-]. */
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

  /** Returns the typed part of `data`. A trailing escape character is part of it, because it may be the Escape key. */
  push(data: Buffer): string {
    const text = this.#decoder.write(data);
    if (this.#inside && this.#now() - this.#sinceMs > patienceMs) this.#inside = false;
    if (!this.#inside && !this.#escaped && !text.includes('\x1b')) return text;
    let typed = '';
    for (const c of text) {
      if (this.#inside) this.#read(c);
      else if (this.#escaped && introducers.has(c)) {
        // If the packets were split here, the escape character has been returned already. Ink waits for what follows
        // it, and drops it.
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

  /** Reads one character of a reply, which ends at BEL or ST (ESC \). */
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
