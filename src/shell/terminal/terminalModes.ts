/** Tracks which terminal modes the output switches on, so that the terminal can be left as it was found. */

/** Private modes (xterm, "CSI ? Pm h") that outlive a program, with their normal state. */
const normalStates: ReadonlyMap<string, 'h' | 'l'> = new Map([
  ['1', 'l'], // application cursor keys
  ['7', 'h'], // wraparound
  ['25', 'h'], // cursor shown
  ['47', 'l'],
  ['1000', 'l'], // mouse, in its several protocols
  ['1002', 'l'],
  ['1003', 'l'],
  ['1004', 'l'], // focus reports
  ['1005', 'l'],
  ['1006', 'l'],
  ['1015', 'l'],
  ['1047', 'l'],
  ['1049', 'l'], // alternate screen
  ['2004', 'l'], // bracketed paste
  ['2026', 'l'], // synchronised output
]);

/** The longest incomplete sequence that is kept for the next piece, in UTF-16 units. */
const maxSequenceLength = 64;

const sequence = /\x1b\[\?([0-9;]+)([hl])|\x1b[=>]|\x1bc/g;

export class TerminalModes {
  readonly #changed = new Map<string, 'h' | 'l'>();
  #keypad = false;
  #rest = '';

  /** Reads a piece of the output. */
  read(text: string): void {
    const all = this.#rest + text;
    if (!all.includes('\x1b')) return;
    let end = 0;
    for (const match of all.matchAll(sequence)) {
      end = match.index + match[0].length;
      if (match[0] === '\x1b=') this.#keypad = true;
      else if (match[0] === '\x1b>') this.#keypad = false;
      else if (match[0] === '\x1bc') this.#changed.clear();
      else for (const mode of (match[1] ?? '').split(';')) this.#set(mode, match[2] as 'h' | 'l');
    }
    const escape = all.lastIndexOf('\x1b');
    this.#rest = escape >= end && all.length - escape < maxSequenceLength ? all.slice(escape) : '';
  }

  /**
   * Returns the sequences that restore every mode, or the empty string if none changed. The alternate screen is left
   * first, because the cursor modes apply to the screen behind it.
   */
  restore(): string {
    const modes = [...this.#changed].sort(([a], [b]) => Number(b === '1049') - Number(a === '1049'));
    const text =
      modes.map(([mode, state]) => `\x1b[?${mode}${state === 'h' ? 'l' : 'h'}`).join('') +
      (this.#keypad ? '\x1b>' : '');
    this.#changed.clear();
    this.#keypad = false;
    this.#rest = '';
    return text;
  }

  #set(mode: string, state: 'h' | 'l'): void {
    const normal = normalStates.get(mode);
    if (normal === undefined) return;
    if (state === normal) this.#changed.delete(mode);
    else this.#changed.set(mode, state);
  }
}
