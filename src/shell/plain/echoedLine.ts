/**
 * A line that is typed where the cursor can go nowhere but back: what is typed is written behind it, and erased with backspace, blank,
 * backspace. Each method returns what has to be written; `undefined` where the line has to be written anew, because a backspace does not
 * go up to the row before.
 */
import stringWidth from 'string-width';
import { longestLine } from '../composer/line.ts';
import { printable } from '../../domain/text.ts';

interface Cell {
  readonly text: string;
  readonly shown: string;
  readonly width: number;
}

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

export class EchoedLine {
  readonly prompt: string;
  readonly #columns: () => number;
  #cells: Cell[] = [];

  constructor(prompt: string, columns: () => number) {
    this.prompt = prompt;
    this.#columns = columns;
  }

  get text(): string {
    return this.#cells.map(({ text }) => text).join('');
  }

  /** The prompt and what was typed, as on a new line. */
  get shown(): string {
    return this.prompt + this.#cells.map(({ shown }) => shown).join('');
  }

  insert(text: string): string {
    const room = Math.max(0, longestLine - this.text.length);
    const added = [...characters.segment(text.slice(0, room))].map(({ segment }): Cell => {
      const shown = segment === '\n' ? ' ' : printable(segment);
      return { text: segment, shown, width: stringWidth(shown) };
    });
    this.#cells.push(...added);
    return added.map(({ shown }) => shown).join('');
  }

  eraseCharacter(): string | undefined {
    return this.#erase(1);
  }

  /** Back to a blank, as unix-word-rubout does. */
  eraseWord(): string | undefined {
    let from = this.#cells.length;
    while (from > 0 && this.#isBlank(from - 1)) from--;
    while (from > 0 && !this.#isBlank(from - 1)) from--;
    return this.#erase(this.#cells.length - from);
  }

  eraseAll(): string | undefined {
    return this.#erase(this.#cells.length);
  }

  #isBlank(index: number): boolean {
    return /^\s$/.test(this.#cells[index]?.text ?? '');
  }

  #erase(count: number): string | undefined {
    if (count === 0 || this.#cells.length === 0) return '';
    const before = stringWidth(this.shown);
    const erased = this.#cells.splice(this.#cells.length - count).reduce((sum, { width }) => sum + width, 0);
    const columns = Math.max(1, this.#columns());
    // At the right margin terminals differ in where the cursor is.
    const sameRow = before % columns !== 0 && Math.floor(before / columns) === Math.floor((before - erased) / columns);
    return sameRow ? '\b \b'.repeat(erased) : undefined;
  }
}
