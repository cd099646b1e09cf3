/** Tracks which terminal modes the output switches on, so that the terminal can be left as it was found. */
import { KeyboardModes } from './keyboardModes.ts';

/** Modes that outlive a program, with their normal state: private ones (xterm, "CSI ? Pm h") and those of ANSI. */
const normalStates: ReadonlyMap<string, 'h' | 'l'> = new Map([
  ['2', 'l'], // keyboard locked
  ['4', 'l'], // insert
  ['12', 'h'], // no local echo
  ['20', 'l'], // Enter sends CR LF
  ['?1', 'l'], // application cursor keys
  ['?5', 'l'], // reverse video
  ['?6', 'l'], // origin: rows count from the scrolling region
  ['?7', 'h'], // wraparound
  ['?8', 'h'], // keys repeat
  ['?9', 'l'], // mouse, in its several protocols
  ['?25', 'h'], // cursor shown
  ['?45', 'l'], // reverse wraparound
  ['?47', 'l'],
  ['?66', 'l'], // application keypad
  ['?67', 'l'], // the backspace key sends BS
  ['?69', 'l'], // left and right margins
  ['?1000', 'l'],
  ['?1001', 'l'],
  ['?1002', 'l'],
  ['?1003', 'l'],
  ['?1004', 'l'], // focus reports
  ['?1005', 'l'],
  ['?1006', 'l'],
  ['?1007', 'l'], // the wheel sends cursor keys
  ['?1015', 'l'],
  ['?1016', 'l'],
  ['?1047', 'l'],
  ['?1049', 'l'], // alternate screen
  ['?2004', 'l'], // bracketed paste
  ['?2026', 'l'], // synchronised output
  ['?2031', 'l'], // reports of the colour scheme
  ['?2048', 'l'], // reports of the size
  ['?9001', 'l'], // keys as Windows reports them
]);

const alternateScreens: readonly string[] = ['?47', '?1047', '?1049'];

/** The longest incomplete sequence that is kept for the next piece, in UTF-16 units. */
const maxSequenceLength = 64;

/**
 * A control sequence with a private marker, parameters, a blank and a final character (ECMA-48, 5.4); the keypad or a
 * full reset; the charset of G0 to G3; a shift to another of these.
 */
const sequence = /\x1b\[([<=>?]?)([0-9;]*)( ?)([fhlmnqu])|\x1b([=>c])|\x1b[()*+](.)|\x1b([no])|([\x0e\x0f])/gs;

export class TerminalModes {
  readonly #changed = new Map<string, 'h' | 'l'>();
  readonly #keyboard = new KeyboardModes();
  #keypad = false;
  #cursorShape = false;
  #charset = false;
  #rest = '';

  /** Reads a piece of the output. */
  read(text: string): void {
    const all = this.#rest + text;
    if (!/[\x1b\x0e]/.test(all)) return;
    let end = 0;
    for (const match of all.matchAll(sequence)) {
      end = match.index + match[0].length;
      const [, marker, parameters = '', blank, final, escape, charset, lock, shift] = match;
      if (final !== undefined) this.#control(`${marker ?? ''}${blank ?? ''}${final}`, parameters);
      else if (escape === 'c') this.#forget();
      else if (escape !== undefined) this.#keypad = escape === '=';
      // "B" is US-ASCII. A shift without another charset changes nothing, and undoing it neither.
      else if (charset !== undefined) this.#charset ||= charset !== 'B';
      else this.#charset ||= lock !== undefined || shift === '\x0e';
    }
    const escape = all.lastIndexOf('\x1b');
    this.#rest = escape >= end && all.length - escape < maxSequenceLength ? all.slice(escape) : '';
  }

  /**
   * Returns the sequences that restore every mode, or the empty string if none changed. The alternate screen is left
   * first, because the cursor modes apply to the screen behind it; but the keyboard has modes on each screen.
   */
  restore(): string {
    const modes = [...this.#changed].sort(([a], [b]) => Number(b === '?1049') - Number(a === '?1049'));
    const onAlternate = this.#isOnAlternate;
    const text =
      (onAlternate ? this.#keyboard.restore('alternate') : '') +
      modes.map(([mode, state]) => `\x1b[${mode}${state === 'h' ? 'l' : 'h'}`).join('') +
      this.#keyboard.restore('main') +
      (this.#keypad ? '\x1b>' : '') +
      (this.#cursorShape ? '\x1b[0 q' : '') +
      (this.#charset ? '\x0f\x1b(B\x1b)B\x1b*B\x1b+B' : '') +
      // Leaving the origin mode moves the cursor to the top, where the next output would be written over another.
      (this.#changed.has('?6') ? '\x1b[r\x1b[999;1H\r\n' : '');
    this.#forget();
    this.#rest = '';
    return text;
  }

  get #isOnAlternate(): boolean {
    return alternateScreens.some((mode) => this.#changed.has(mode));
  }

  #control(kind: string, parameters: string): void {
    switch (kind) {
      case '?h':
      case '?l':
      case 'h':
      case 'l':
        for (const mode of parameters.split(';')) this.#set(kind.slice(0, -1) + mode, kind.slice(-1) as 'h' | 'l');
        return;
      case ' q':
        this.#cursorShape = !/^0*$/.test(parameters);
        return;
      default:
        this.#keyboard.read(kind, parameters, this.#isOnAlternate ? 'alternate' : 'main');
    }
  }

  #set(mode: string, state: 'h' | 'l'): void {
    const normal = normalStates.get(mode);
    if (normal === undefined) return;
    if (state === normal) this.#changed.delete(mode);
    else this.#changed.set(mode, state);
  }

  #forget(): void {
    this.#changed.clear();
    this.#keyboard.forget();
    this.#keypad = false;
    this.#cursorShape = false;
    this.#charset = false;
  }
}
