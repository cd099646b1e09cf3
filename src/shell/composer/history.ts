/** Lines typed before: walked through with Up and Down, by what the line begins with, and searched with Ctrl-R. */

/** Lines kept in a session; core keeps fewer for the next one. */
const maxLines = 1000;
/** Longer lines are not kept, in UTF-16 units: nobody types one again, and a search goes through all of them. */
const maxLineLength = 1024;

export class History {
  #lines: string[];
  /** Where the walk is; the length of the list is the line that is being written. */
  #at: number;
  #draft = '';

  constructor(lines: readonly string[]) {
    this.#lines = [...lines];
    this.#at = this.#lines.length;
  }

  add(line: string): void {
    const text = line.trim();
    if (text !== '' && text.length <= maxLineLength)
      this.#lines = [...this.#lines.filter((other) => other !== text), text].slice(-maxLines);
    this.reset();
  }

  /** Ends a walk: the next one begins at the newest line. */
  reset(): void {
    this.#at = this.#lines.length;
    this.#draft = '';
  }

  /** The next older line that begins with `prefix`; `current` is what comes back at the end of the way down. */
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

  /** The `nth` newest line that contains `text`, counted from 0; the empty text is in none. */
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
