/** Earlier lines. Up and Down step through the lines with the same prefix; Ctrl-R searches all of them. */

import { builtinOf } from '../../catalogue/builtins.ts';

/** Lines kept in one shell; core keeps fewer for the next. */
const maxLines = 1000;
/** The longest line that is kept, in UTF-16 units. A search goes through all lines, so they stay short. */
const maxLineLength = 1024;

/** Reports whether a line may be wanted again. Who repeats the last line does not mean to leave. */
export function isWorthKeeping(line: string): boolean {
  return builtinOf(line)?.name !== 'exit';
}

export class History {
  #lines: string[];
  /** The index of the current line; the length of the list stands for the draft. */
  #at: number;
  #draft = '';

  constructor(lines: readonly string[]) {
    this.#lines = [...lines];
    this.#at = this.#lines.length;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Adds lines, each as the newest one. All are added in one pass: hundreds may be pasted. */
  add(...lines: readonly string[]): void {
    const kept = lines
      .map((line) => line.trim())
      .filter((line) => line !== '' && line.length <= maxLineLength && isWorthKeeping(line));
    const added = new Set(kept.toReversed());
    this.#lines = [...this.#lines.filter((line) => !added.has(line)), ...[...added].toReversed()].slice(-maxLines);
    this.reset();
  }

  /** Goes back to the draft. */
  reset(): void {
    this.#at = this.#lines.length;
    this.#draft = '';
  }

  /**
   * Returns the next older line that begins with `prefix`. Keeps `current` as the draft, which `newer` returns last.
   */
  older(current: string, prefix: string): string | undefined {
    if (this.#at === this.#lines.length) this.#draft = current;
    for (let i = this.#at - 1; i >= 0; i--) {
      const line = this.#lines[i] ?? '';
      if (!line.startsWith(prefix) || line === current) continue;
      this.#at = i;
      return line;
    }
    return undefined;
  }

  newer(current: string, prefix: string): string | undefined {
    if (this.#at >= this.#lines.length) return undefined;
    for (let i = this.#at + 1; i < this.#lines.length; i++) {
      const line = this.#lines[i] ?? '';
      if (!line.startsWith(prefix) || line === current) continue;
      this.#at = i;
      return line;
    }
    this.#at = this.#lines.length;
    return this.#draft;
  }

  /** Returns the `nth` newest line that contains `text`, counted from 0. No line contains the empty text. */
  find(text: string, nth: number): string | undefined {
    if (text === '') return undefined;
    const wanted = text.toLowerCase();
    let left = nth;
    for (const line of this.#lines.toReversed()) {
      if (line.toLowerCase().includes(wanted) && left-- === 0) return line;
    }
    return undefined;
  }
}
