/**
 * Which modes of the terminal are switched on, read off what is written to it, so that it can be left as it was found:
 * by the shell itself, and by whatever program in a container had the terminal meanwhile.
 */

/** Private modes (xterm, "CSI ? Pm h") that outlive a program, and which state is the usual one. */
const usual: ReadonlyMap<string, 'h' | 'l'> = new Map([
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

/** The longest beginning of a sequence that is kept for the next piece. */
const maxSequenceLength = 64;

const sequence = /\x1b\[\?([0-9;]+)([hl])|\x1b[=>]|\x1bc/g;

export class TerminalModes {
  readonly #unusual = new Map<string, 'h' | 'l'>();
  #keypad = false;
  #rest = '';

  /** Reads what is written to the terminal. */
  read(text: string): void {
    const all = this.#rest + text;
    if (!all.includes('\x1b')) return;
    let end = 0;
    for (const match of all.matchAll(sequence)) {
      end = match.index + match[0].length;
      if (match[0] === '\x1b=') this.#keypad = true;
      else if (match[0] === '\x1b>') this.#keypad = false;
      else if (match[0] === '\x1bc') this.#unusual.clear();
      else for (const mode of (match[1] ?? '').split(';')) this.#set(mode, match[2] as 'h' | 'l');
    }
    const escape = all.lastIndexOf('\x1b');
    this.#rest = escape >= end && all.length - escape < maxSequenceLength ? all.slice(escape) : '';
  }

  /**
   * What takes every mode back; the empty text where all is as usual. The order matters: the screen first, then the
   * cursor on it.
   */
  restore(): string {
    const modes = [...this.#unusual].sort(([a], [b]) => Number(b === '1049') - Number(a === '1049'));
    const text =
      modes.map(([mode, state]) => `\x1b[?${mode}${state === 'h' ? 'l' : 'h'}`).join('') +
      (this.#keypad ? '\x1b>' : '');
    this.#unusual.clear();
    this.#keypad = false;
    this.#rest = '';
    return text;
  }

  #set(mode: string, state: 'h' | 'l'): void {
    const normal = usual.get(mode);
    if (normal === undefined) return;
    if (state === normal) this.#unusual.delete(mode);
    else this.#unusual.set(mode, state);
  }
}
