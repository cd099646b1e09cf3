/**
 * Input in pieces that hold up nobody. Whoever reads it, Ink above all, handles all it is given in one turn of the
 * event loop, and keeps what has no end yet, a paste or a sequence, however long it gets. A client may send 32 KB of
 * Tab in one packet, or a paste that never ends; a person does neither. So a turn gets a few keys, and what has no end
 * is kept here, up to a length.
 */
import { maxPasteLength, looksLikePaste, pasteBegins, pasteEnds } from './pastes.ts';

/** Keys in one turn. A key on the longest line takes some tenths of a millisecond. */
const maxKeysPerTurn = 16;
/** An escape sequence is never longer. */
const maxSequenceLength = 64;
/**
 * A sequence whose rest does not come in this time was a key of its own, Escape or Alt-[, in milliseconds: as long as
 * Ink waits.
 */
const patienceMs = 20;
/** What waits for its turn, in UTF-16 units; more is left to the client, whose window is then not opened further. */
const maxWaiting = 64 * 1024;

/**
 * A sequence of ECMA-48 (CSI) or of the cursor and function keys (SS3, and `ESC [ [ A` of the Linux console), or a
 * character with Alt; what Ink takes for a key of its own; other text.
 */
const token = /\x1b\x1b?(?:\[\[?[0-?]*[ -/]*[@-~]|O[0-9;]*[@-~])|\x1b[^[O]|[\x7f\b\x03]|[^\x1b\x7f\b\x03]+|\x1b/gsu;
const unfinished = /\x1b\x1b?(?:\[\[?[0-?]*[ -/]*|O[0-9;]*)?$/;
/** One key, or of a text as much as may take as long: in the live list each letter is a key. */
const key = /\p{Cc}|\P{Cc}{1,32}/gu;

interface Piece {
  text: string;
  keys: number;
}

export class Typing {
  readonly #feed: (text: string) => void;
  readonly #wait: (full: boolean) => void;
  #pieces: Piece[] = [];
  #waiting = 0;
  #isFull = false;
  /** Fed in this turn already. */
  #turn: NodeJS.Immediate | undefined;
  /** A sequence without its end. */
  #rest = '';
  #patience: NodeJS.Timeout | undefined;
  /** The paste that has begun, and what of it may be the beginning of its end. */
  #paste: string | undefined;
  #pasteTail = '';

  /**
   * `feed` is given the pieces, at most one a turn; `wait` is told when nothing more should come, and when it may
   * again.
   */
  constructor(feed: (text: string) => void, wait: (full: boolean) => void) {
    this.#feed = feed;
    this.#wait = wait;
  }

  push(text: string): void {
    clearTimeout(this.#patience);
    const typed = this.#rest + text;
    this.#rest = '';
    const whole = typed.length - (unfinished.exec(typed)?.[0].length ?? 0);
    for (let at = 0; at < typed.length;)
      at = this.#paste === undefined ? this.#readKeys(typed, at, whole) : this.#readPaste(typed, at);
    if (this.#rest !== '') this.#patience = setTimeout(() => this.#giveUp(), patienceMs);
    this.#next();
  }

  /** Nobody reads any more: what waits is dropped. */
  close(): void {
    clearTimeout(this.#patience);
    clearImmediate(this.#turn);
    this.#turn = undefined;
    this.#pieces = [];
    this.#waiting = 0;
    this.#tell();
  }

  /**
   * Takes keys from `at` up to the beginning of a paste, or to `whole`, where a sequence begins that does not end;
   * returns where it stopped.
   */
  #readKeys(text: string, at: number, whole: number): number {
    for (const { 0: found, index } of text.slice(at, whole).matchAll(token)) {
      if (found === pasteBegins) {
        this.#paste = '';
        return at + index + found.length;
      }
      if (found.startsWith('\x1b')) this.#add(found, 1);
      else if (looksLikePaste(found)) this.#add(found, maxKeysPerTurn);
      else for (const [typed] of found.matchAll(key)) this.#add(typed, 1);
    }
    // One that is longer than any is dropped, and what follows it is typed.
    if (text.length - whole <= maxSequenceLength) this.#rest = text.slice(whole);
    return text.length;
  }

  /** Takes a paste from `at` up to its end; returns where it stopped. */
  #readPaste(text: string, at: number): number {
    const before = this.#pasteTail.length;
    const all = this.#pasteTail + text.slice(at);
    const end = all.indexOf(pasteEnds);
    const taken = end === -1 ? Math.max(0, all.length - pasteEnds.length + 1) : end;
    const paste = this.#paste ?? '';
    this.#paste = paste + all.slice(0, Math.min(taken, maxPasteLength - paste.length));
    this.#pasteTail = end === -1 ? all.slice(taken) : '';
    if (end === -1) return text.length;
    this.#add(pasteBegins + this.#paste + pasteEnds, maxKeysPerTurn);
    this.#paste = undefined;
    return at - before + end + pasteEnds.length;
  }

  #giveUp(): void {
    this.#add(this.#rest, 1);
    this.#rest = '';
    this.#next();
  }

  #add(text: string, keys: number): void {
    const last = this.#pieces.at(-1);
    this.#waiting += text.length;
    if (last === undefined || last.keys + keys > maxKeysPerTurn) this.#pieces.push({ text, keys });
    else {
      last.text += text;
      last.keys += keys;
    }
  }

  /** Feeds one piece a turn. */
  #next(): void {
    if (this.#turn === undefined) this.#feedOne();
    this.#tell();
  }

  #feedOne(): void {
    const piece = this.#pieces.shift();
    if (piece === undefined) return;
    this.#waiting -= piece.text.length;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      this.#next();
    });
    this.#feed(piece.text);
  }

  #tell(): void {
    const full = this.#waiting > maxWaiting;
    if (full === this.#isFull) return;
    this.#isFull = full;
    this.#wait(full);
  }
}
