/**
 * Turns the input of an unknown terminal into keys. Without bracketed paste mode a paste is recognised by its content.
 * Input that follows at once belongs to it, because a long paste arrives in several pieces.
 */
import { split, type Key } from '../composer/keys.ts';
import { looksLikePaste, maxPasteBytes } from '../terminal/pastes.ts';
import { sequenceName } from '../terminal/sequenceNames.ts';

export type Typed = Key | { readonly paste: string };

const markers: Readonly<Record<string, 'begins' | 'ends'>> = { '[200~': 'begins', '[201~': 'ends' };

const sequence = /\x1b(\[[0-?]*[ -/]*[@-~]|O[A-Z]|[^[O])/g;
const unfinished = /\x1b(?:\[[0-?]*[ -/]*|O)?$/;
const maxSequenceLength = 64;

/** The longest time between two pieces of one paste, in milliseconds. */
const pasteGapMs = 50;

export class TypedKeys {
  readonly #now: () => number;
  #rest = '';
  /** The paste so far, from a terminal that sends the markers unasked. */
  #marked: string | undefined;
  #pastedMs = -Infinity;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  push(piece: string): Typed[] {
    // An escape character that begins no sequence was the Escape key, which does nothing here.
    const text = (this.#rest === '\x1b' && !/^[[O]/.test(piece) ? '' : this.#rest) + piece;
    const rest = unfinished.exec(text)?.[0] ?? '';
    this.#rest = rest.length > maxSequenceLength ? '' : rest;
    const whole = text.slice(0, text.length - rest.length);
    const keys: Typed[] = [];
    let at = 0;
    for (const match of whole.matchAll(sequence)) {
      this.#plain(whole.slice(at, match.index), keys);
      at = match.index + match[0].length;
      this.#sequence(match[1] ?? '', keys);
    }
    this.#plain(whole.slice(at), keys);
    return keys;
  }

  #sequence(body: string, keys: Typed[]): void {
    const marker = markers[body];
    const name = sequenceName(body);
    if (marker === 'begins') this.#marked = '';
    else if (marker === 'ends') {
      if (this.#marked !== undefined) keys.push({ paste: this.#marked });
      this.#marked = undefined;
    } else if (name !== undefined && this.#marked === undefined) keys.push({ name, text: '' });
  }

  #plain(text: string, keys: Typed[]): void {
    if (text === '') return;
    if (this.#marked !== undefined) {
      // The terminal has passed on no longer one.
      this.#marked = (this.#marked + text).slice(0, maxPasteBytes);
      return;
    }
    const now = this.#now();
    const goesOn = now - this.#pastedMs < pasteGapMs && !/^[\r\n\x03\x04]+$/.test(text);
    if (goesOn || looksLikePaste(text)) {
      this.#pastedMs = now;
      keys.push({ paste: text });
    } else keys.push(...split(text));
  }
}
