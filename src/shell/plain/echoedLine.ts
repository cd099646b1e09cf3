/**
 * A line that is typed where the cursor can go nowhere but back: what is typed is written behind it, and erased with
 * backspace, blank, backspace. Each method returns what has to be written; `undefined` where the line has to be written
 * anew, because a backspace does not go up to the row before.
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
  #cells: TypedCell[] = [];
  /**
   * Of the text, in UTF-16 units, and of what is shown of it, in cells: both are wanted at each key, and the line may
   * be long.
   */
  #length = 0;
  #width = 0;

  constructor(prompt: string, columns: () => number) {
    this.prompt = prompt;
    this.#columns = columns;
  }

  get text(): string {
    return this.#cells.map(({ text }) => text).join('');
  }

  get isEmpty(): boolean {
    return this.#cells.length === 0;
  }

  /** The prompt and what was typed, as on a new line. */
  get shown(): string {
    return this.prompt + this.#cells.map(({ shown }) => shown).join('');
  }

  insert(text: string): string {
    const room = Math.max(0, maxLineLength - this.#length);
    const added = charactersOf(text.slice(0, room)).map((character) => ({ text: character, ...cellOf(character) }));
    for (const cell of added) this.#cells.push(cell);
    this.#count(added, 1);
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
    const before = stringWidth(this.prompt) + this.#width;
    const gone = this.#cells.splice(this.#cells.length - count);
    this.#count(gone, -1);
    const erased = before - stringWidth(this.prompt) - this.#width;
    const columns = Math.max(1, this.#columns());
    // At the right margin terminals differ in where the cursor is.
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
