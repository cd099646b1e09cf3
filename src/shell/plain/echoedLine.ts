/**
 * A line that is edited on a terminal whose cursor moves back only: to the left with a backspace, to the right by
 * writing a character again. A backspace cannot move to the previous row, so then the line is written again on a new
 * one. After the cursor, the line is shown up to the end of the cursor's row.
 */
import { changes, kills, movements } from '../composer/editKeys.ts';
import { emptyLine, end, insert, maxLineLength, type Line } from '../composer/line.ts';
import { editedGlyphs, glyphsOf, noGlyphs, type Glyph } from './glyphs.ts';

/** A part of a line, as indices of glyphs, and where it is on the terminal, as cells from the prompt's first one. */
interface Shown {
  /** The glyph at the cursor. */
  readonly at: number;
  /** The end of what is shown. */
  readonly to: number;
  readonly cursorCell: number;
  readonly endCell: number;
}

export class EchoedLine {
  readonly prompt: string;
  readonly #columns: () => number;
  readonly #maxLength: number;
  readonly #promptGlyphs: readonly Glyph[];
  #line = emptyLine;
  /** What Ctrl-Y inserts. */
  #killed = '';
  #glyphs = noGlyphs;
  /** The cell after each glyph. */
  #ends: number[] = [];
  #promptEnd = 0;
  #width = 1;
  #shown: Shown;

  constructor(prompt: string, columns: () => number, maxLength = maxLineLength) {
    this.prompt = prompt;
    this.#columns = columns;
    this.#maxLength = maxLength;
    this.#promptGlyphs = glyphsOf(prompt);
    this.#measure();
    this.#shown = this.#showing(0);
  }

  get line(): Line {
    return this.#line;
  }

  set line(line: Line) {
    this.#line = line;
  }

  get text(): string {
    return this.#line.text;
  }

  get isEmpty(): boolean {
    return this.#line.text === '';
  }

  insert(text: string): void {
    this.#line = insert(this.#line, text, this.#maxLength);
  }

  /** Edits the line with a key of the composer. Returns false if the key does not edit. */
  press(name: string): boolean {
    const move = movements[name] ?? changes[name];
    const kill = kills[name];
    if (move !== undefined) this.#line = move(this.#line);
    else if (name === 'ctrl-y') this.insert(this.#killed);
    else if (kill !== undefined) {
      const { line, killed } = kill(this.#line);
      this.#line = line;
      if (killed !== '') this.#killed = killed;
    } else return false;
    return true;
  }

  /** Returns what to write so that the terminal shows the line as it is now. */
  update(): string {
    const old = this.#shown;
    const before = this.#glyphs.glyphs;
    this.#glyphs = editedGlyphs(this.#glyphs, this.#line);
    const same = sameGlyphs(before, this.#glyphs.glyphs, old.to);
    const columns = Math.max(1, this.#columns());
    // Where a line of several rows is depends on the width.
    const isMoved = columns !== this.#width && old.endCell >= Math.min(columns, this.#width);
    if (columns === this.#width) this.#layOut(Math.max(0, same));
    else this.#measure();
    this.#shown = this.#showing(this.#glyphs.cursor);
    return (isMoved || same < 0 ? undefined : this.#step(old, same)) ?? `\n${this.#whole()}`;
  }

  /** Returns the prompt and the line, to be written on a new row. */
  written(): string {
    this.update();
    return this.#whole();
  }

  /** Returns what to write before the line is left, so that all of it can be read. */
  finish(): string {
    const text = this.update();
    if (this.#shown.to === this.#glyphs.glyphs.length) return text;
    this.#line = end(this.#line);
    return text + this.update();
  }

  /** Returns what to write after `old`, of which the first `same` glyphs have stayed, if backspaces suffice. */
  #step(old: Shown, same: number): string | undefined {
    const now = this.#shown;
    const isChanged = same < old.to || now.to !== old.to;
    const first = Math.min(old.at, isChanged ? Math.min(same, now.to) : now.at);
    const to = isChanged ? now.to : Math.max(first, now.at);
    const from = first < to ? this.#base(first) : first;
    if (from < 0) return undefined;
    const begin = from < to ? this.#start(from) : this.#cellOf(from, now.to);
    const back = this.#distance(old, from, begin);
    if (back === undefined) return undefined;
    const blanks = isChanged ? Math.max(0, old.endCell - now.endCell) : 0;
    const left = (from < to ? this.#end(to) : begin) + blanks - now.cursorCell;
    if (left < 0) return undefined;
    // As a kernel terminal erases (ECHOE).
    if (from === to && back === blanks && left === blanks) return '\b \b'.repeat(blanks);
    return '\b'.repeat(back) + this.#textOf(from, to) + ' '.repeat(blanks) + '\b'.repeat(left);
  }

  /** Returns the glyph whose cell glyph `index` shares: a mark is written with what is before it, or appears twice. */
  #base(index: number): number {
    let base = index;
    while (base >= 0 && this.#glyphs.glyphs[base]?.width === 0) base--;
    return base;
  }

  /** Returns how many backspaces lead from the cursor to where glyph `from` begins, if any number does. */
  #distance(old: Shown, from: number, begin: number): number | undefined {
    const cell = old.cursorCell;
    // At the right margin the cursor moves to the next row with the next glyph.
    if (from === old.at) return cell === begin || cell === this.#end(from) ? 0 : undefined;
    const isSameRow = this.#row(begin) === this.#row(cell) && this.#row(this.#end(from)) === this.#row(cell);
    return isSameRow && begin <= cell ? cell - begin : undefined;
  }

  #whole(): string {
    const { to, endCell, cursorCell } = this.#shown;
    return this.prompt + this.#textOf(0, to) + '\b'.repeat(Math.max(0, endCell - cursorCell));
  }

  #textOf(from: number, to: number): string {
    return this.#glyphs.glyphs
      .slice(from, to)
      .map(({ shown }) => shown)
      .join('');
  }

  /** Returns what is shown of the line with the cursor at glyph `at`. */
  #showing(at: number): Shown {
    const { length } = this.#glyphs.glyphs;
    // The last cell of the row stays free, because terminals differ in where the cursor is after it.
    const limit = at < length ? (this.#row(this.#start(at)) + 1) * this.#width : 0;
    let to = at;
    while (to < length && this.#end(to + 1) < limit) to++;
    return { at, to, cursorCell: this.#cellOf(at, to), endCell: this.#end(to) };
  }

  /** Returns the cell of a cursor before glyph `at`, if the line is shown up to glyph `to`. */
  #cellOf(at: number, to: number): number {
    return at < to ? this.#start(at) : this.#end(at);
  }

  /** Returns the first cell of glyph `index`. */
  #start(index: number): number {
    return this.#fit(this.#end(index), this.#glyphs.glyphs[index]?.width ?? 0);
  }

  /** Returns the cell after the first `count` glyphs. */
  #end(count: number): number {
    return count === 0 ? this.#promptEnd : (this.#ends[count - 1] ?? 0);
  }

  #row(cell: number): number {
    return Math.floor(cell / this.#width);
  }

  /** Returns where a glyph goes that is written at `cell`: one that does not fit into the row begins the next. */
  #fit(cell: number, width: number): number {
    return (cell % this.#width) + width > this.#width ? (this.#row(cell) + 1) * this.#width : cell;
  }

  /** Measures the line for the width of the terminal. */
  #measure(): void {
    this.#width = Math.max(1, this.#columns());
    this.#promptEnd = this.#promptGlyphs.reduce((cell, { width }) => this.#fit(cell, width) + width, 0);
    this.#layOut(0);
  }

  /** Measures where the glyphs from `from` on end. */
  #layOut(from: number): void {
    const { glyphs } = this.#glyphs;
    this.#ends.length = Math.min(from, this.#ends.length);
    for (let i = this.#ends.length; i < glyphs.length; i++) this.#ends.push(this.#start(i) + (glyphs[i]?.width ?? 0));
  }
}

/** Returns how many glyphs, of `most`, are the same in both lines; -1 if the end of the prompt differs too. */
function sameGlyphs(before: readonly Glyph[], after: readonly Glyph[], most: number): number {
  let same = 0;
  while (same < most && before[same]?.shown === after[same]?.shown) same++;
  // A mark shares the cell of the glyph before it.
  while (same >= 0 && (before[same]?.width === 0 || after[same]?.width === 0)) same--;
  return same;
}
