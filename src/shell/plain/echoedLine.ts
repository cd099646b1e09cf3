/**
 * A line typed on a terminal whose cursor only moves back: text is appended, and erased with backspace, blank,
 * backspace. Each method returns what to write, or `undefined` if the line must be written again, because a backspace
 * cannot move to the previous row.
 */
import stringWidth from 'string-width';
import { maxLineLength } from '../composer/line.ts';
import { cellOf, charactersOf, type Cell } from '../composer/cells.ts';

interface TypedCell extends Cell {
  readonly text: string;
}

export class EchoedLine {
  readonly prompt: string;
  readonly #columns: () => number;
  readonly #maxLength: number;
  #cells: TypedCell[] = [];
  /** The length in UTF-16 units and the width in cells. They are kept because each key needs both. */
  #length = 0;
  #width = 0;

  constructor(prompt: string, columns: () => number, maxLength = maxLineLength) {
    this.prompt = prompt;
    this.#columns = columns;
    this.#maxLength = maxLength;
  }

  get text(): string {
    return this.#cells.map(({ text }) => text).join('');
  }

  get isEmpty(): boolean {
    return this.#cells.length === 0;
  }

  /** The prompt and the typed text, to be written on a new line. */
  get shown(): string {
    return this.prompt + this.#cells.map(({ shown }) => shown).join('');
  }

  insert(text: string): string {
    const room = Math.max(0, this.#maxLength - this.#length);
    const added = charactersOf(text.slice(0, room)).map((character) => ({ text: character, ...cellOf(character) }));
    for (const cell of added) this.#cells.push(cell);
    this.#count(added, 1);
    return added.map(({ shown }) => shown).join('');
  }

  eraseCharacter(): string | undefined {
    return this.#erase(1);
  }

  /** Erases back to a blank, as unix-word-rubout does. */
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
    const before = stringWidth(this.prompt) + this.#width;
    const gone = this.#cells.splice(this.#cells.length - count);
    this.#count(gone, -1);
    const erased = before - stringWidth(this.prompt) - this.#width;
    const columns = Math.max(1, this.#columns());
    // Terminals differ in where the cursor is at the right margin.
    const sameRow = before % columns !== 0 && Math.floor(before / columns) === Math.floor((before - erased) / columns);
    return sameRow ? '\b \b'.repeat(erased) : undefined;
  }

  #count(cells: readonly TypedCell[], sign: 1 | -1): void {
    for (const { text, width } of cells) {
      this.#length += sign * text.length;
      this.#width += sign * width;
    }
  }
}
