import { edited } from '../composer/editKeys.ts';
import type { Key, Keyed } from '../composer/keys.ts';
import { emptyLine, insert, type Line } from '../composer/line.ts';
import type { Confirmation } from '../model/ui.ts';

/** A question in place of the composer: the user types a word to confirm. An empty line cancels. */
export class ConfirmDialog implements Keyed {
  readonly kind = 'confirm';
  readonly confirmation: Confirmation;
  line: Line = emptyLine;
  /** Whether the user sent another word. */
  mistyped = false;
  /** Index of the first visible fact, if there is no room for all. */
  top = 0;
  readonly #changed: () => void;
  readonly #done: (confirmed: boolean) => void;

  constructor(confirmation: Confirmation, changed: () => void, done: (confirmed: boolean) => void) {
    this.confirmation = confirmation;
    this.#changed = changed;
    this.#done = done;
  }

  key({ name, text }: Key): void {
    switch (name) {
      case 'escape':
      case 'ctrl-c':
      case 'ctrl-d':
        return this.#done(false);
      case 'enter':
        return this.#enter();
      case 'up':
        return this.#scroll(-1);
      case 'down':
        return this.#scroll(1);
      case 'text':
        return this.#edit(insert(this.line, text));
      default: {
        const line = edited(this.line, name);
        if (line !== undefined) this.#edit(line);
      }
    }
  }

  /** The preferred number of rows: title, facts, question, keys. */
  get height(): number {
    return this.confirmation.facts.length + 3;
  }

  paste(text: string): void {
    this.#edit(insert(this.line, text.replace(/\p{Cc}/gu, '')));
  }

  #enter(): void {
    const typed = this.line.text.trim();
    if (typed === '') return this.#done(false);
    if (typed === this.confirmation.word) return this.#done(true);
    this.mistyped = true;
    this.#changed();
  }

  #scroll(by: number): void {
    this.top = Math.max(0, Math.min(this.confirmation.facts.length - 1, this.top + by));
    this.#changed();
  }

  #edit(line: Line): void {
    this.line = line;
    this.mistyped = false;
    this.#changed();
  }
}
