/**
 * Paces the input, so that one client cannot block the event loop. Ink handles everything it receives in one turn, but
 * a client may send 32 KB of Tab in one packet. So each turn passes on a few keys, and the rest waits here.
 */
import { looksLikePaste, pasteBegins, pasteEnds } from './pastes.ts';
import type { Token } from './sequenceReader.ts';

/** Keys passed on per turn. A key on the longest line takes some tenths of a millisecond. */
const maxKeysPerTurn = 16;
/** How much input may wait, in UTF-16 units. Above this, reading from the client stops. */
const maxWaitingLength = 64 * 1024;

/** A control character that Ink takes for a key, or other text. */
const run = /[\x7f\b\x03]|[^\x7f\b\x03]+/g;
/** One key, or a piece of text that costs as much: in the live list each letter is a key. */
const key = /\p{Cc}|\P{Cc}{1,32}/gu;

interface Piece {
  text: string;
  keys: number;
  /** When the first key of it arrived, see `performance.now`. */
  readonly arrivedMs: number;
}

/** Calls `act` in a later turn of the event loop. Returns what cancels that. */
type Later = (act: () => void) => () => void;

export class InputPacer {
  readonly #feed: (text: string, arrivedMs: number) => void;
  readonly #wait: (full: boolean) => void;
  readonly #later: Later;
  #pieces: Piece[] = [];
  #waiting = 0;
  #isFull = false;
  /** Set after a piece was fed in this turn: cancels the next one. */
  #cancel: (() => void) | undefined;

  /**
   * `feed` receives at most one piece per turn, and when it arrived. `wait` is called with true when the buffer is
   * full, then with false. `later` begins the next turn.
   */
  constructor(feed: (text: string, arrivedMs: number) => void, wait: (full: boolean) => void, later: Later) {
    this.#feed = feed;
    this.#wait = wait;
    this.#later = later;
  }

  push(tokens: readonly Token[]): void {
    for (const token of tokens) {
      if (token.kind === 'key') this.#add(token.sequence, 1);
      else if (token.kind === 'paste') this.#add(pasteBegins + token.text + pasteEnds, maxKeysPerTurn);
      else if (token.kind === 'text') this.#addText(token.text);
    }
    this.#next();
  }

  /** Drops the waiting input. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#pieces = [];
    this.#waiting = 0;
    this.#reportFull();
  }

  #addText(text: string): void {
    for (const [found] of text.matchAll(run)) {
      if (looksLikePaste(found)) this.#add(found, maxKeysPerTurn);
      else for (const [typed] of found.matchAll(key)) this.#add(typed, 1);
    }
  }

  #add(text: string, keys: number): void {
    const last = this.#pieces.at(-1);
    this.#waiting += text.length;
    if (last === undefined || last.keys + keys > maxKeysPerTurn)
      this.#pieces.push({ text, keys, arrivedMs: performance.now() });
    else {
      last.text += text;
      last.keys += keys;
    }
  }

  /** Feeds the next piece, unless this turn has had one. */
  #next(): void {
    if (this.#cancel === undefined) this.#feedOne();
    this.#reportFull();
  }

  #feedOne(): void {
    const piece = this.#pieces.shift();
    if (piece === undefined) return;
    this.#waiting -= piece.text.length;
    this.#cancel = this.#later(() => {
      this.#cancel = undefined;
      this.#next();
    });
    this.#feed(piece.text, piece.arrivedMs);
  }

  #reportFull(): void {
    const full = this.#waiting > maxWaitingLength;
    if (full === this.#isFull) return;
    this.#isFull = full;
    this.#wait(full);
  }
}
