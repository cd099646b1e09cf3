/**
 * Paces the input, so that one client cannot block the event loop. Ink handles everything it receives in one turn and
 * buffers an incomplete paste or sequence without limit, but a client may send 32 KB of Tab in one packet or a paste
 * that never ends. So each turn passes on a few keys, and incomplete input is buffered here, up to a limit.
 */
import { maxPasteLength, looksLikePaste, pasteBegins, pasteEnds } from './pastes.ts';

/** Keys passed on per turn. A key on the longest line takes some tenths of a millisecond. */
const maxKeysPerTurn = 16;
/** The longest escape sequence. */
const maxSequenceLength = 64;
/**
 * How long to wait for the rest of a sequence, in milliseconds, as long as Ink does. After that the beginning counts as
 * a key, Escape or Alt-[.
 */
const patienceMs = 20;
/** How much input may wait, in UTF-16 units. Above this, reading from the client stops. */
const maxWaitingLength = 64 * 1024;

/**
 * One of: a CSI sequence (ECMA-48), a cursor or function key (SS3, and `ESC [ [ A` of the Linux console), a character
 * with Alt, a control character that Ink takes for a key, or other text.
 */
const token = /\x1b\x1b?(?:\[\[?[0-?]*[ -/]*[@-~]|O[0-9;]*[@-~])|\x1b[^[O]|[\x7f\b\x03]|[^\x1b\x7f\b\x03]+|\x1b/gsu;
const unfinished = /\x1b\x1b?(?:\[\[?[0-?]*[ -/]*|O[0-9;]*)?$/;
/** One key, or a piece of text that costs as much: in the live list each letter is a key. */
const key = /\p{Cc}|\P{Cc}{1,32}/gu;

interface Piece {
  text: string;
  keys: number;
}

export class InputPacer {
  readonly #feed: (text: string) => void;
  readonly #wait: (full: boolean) => void;
  #pieces: Piece[] = [];
  #waiting = 0;
  #isFull = false;
  /** Set after a piece was fed in this turn. */
  #turn: NodeJS.Immediate | undefined;
  /** An incomplete sequence. */
  #rest = '';
  #patience: NodeJS.Timeout | undefined;
  /** The incomplete paste, and its last characters if they may begin the end marker. */
  #paste: string | undefined;
  #pasteTail = '';

  /**
   * `feed` receives at most one piece per turn. `wait` is called with true when the buffer is full, then with false.
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
    if (this.#rest !== '') this.#patience = setTimeout(() => this.#endSequence(), patienceMs);
    this.#next();
  }

  /** Drops the waiting input. */
  close(): void {
    clearTimeout(this.#patience);
    clearImmediate(this.#turn);
    this.#turn = undefined;
    this.#pieces = [];
    this.#waiting = 0;
    this.#reportFull();
  }

  /**
   * Takes keys from `at` up to the beginning of a paste, or up to `whole`, where an incomplete sequence begins. Returns
   * where it stopped.
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
    // A sequence that is too long is dropped; the input after it counts as typed.
    if (text.length - whole <= maxSequenceLength) this.#rest = text.slice(whole);
    return text.length;
  }

  /** Takes a paste from `at` up to its end. Returns where it stopped. */
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

  /** Passes on an incomplete sequence as a key. */
  #endSequence(): void {
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

  /** Feeds the next piece, unless this turn has had one. */
  #next(): void {
    if (this.#turn === undefined) this.#feedOne();
    this.#reportFull();
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

  #reportFull(): void {
    const full = this.#waiting > maxWaitingLength;
    if (full === this.#isFull) return;
    this.#isFull = full;
    this.#wait(full);
  }
}
