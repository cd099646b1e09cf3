/** A pane above the list: the lines of an answer, and which of them are visible. */
import { stripVTControlCharacters } from 'node:util';
import type { Block } from '../../../catalogue/declaration/view.ts';
import { printableLines } from '../../../domain/text.ts';
import { renderItem } from '../../items/renderItem.tsx';
import { wrapped } from '../layout/cells.ts';
import { parseFilter } from '../model/filter.ts';

export interface PaneOptions {
  readonly kind: 'details' | 'text' | 'help';
  readonly title: string;
  /** The owner of the container that it shows. */
  readonly user?: string;
  readonly blocks: readonly Block[];
  /** The width of a line, in cells. */
  readonly width: number;
  /** The text for the clipboard. */
  readonly copy?: string;
  /** Whether to show the end first, as for a log. */
  readonly fromEnd?: boolean;
}

/** The most lines of a text that a pane shows, and the longest of them in UTF-16 units. */
const maxTextLines = 500;
const maxTextLineLength = 1024;

const notAll = `Not the whole text: its last ${maxTextLines} lines at most, each up to ${maxTextLineLength} characters. The shell behind this list has all of it.`;

/** A line of the content, and its rows once they were visible: breaking a whole log into rows blocks the event loop. */
interface ContentLine {
  readonly text: string;
  rows?: readonly string[];
}

/** A row of the content: the index of its line, and of the row within that. */
interface Position {
  readonly line: number;
  readonly row: number;
}

const start: Position = { line: 0, row: 0 };

/** The visible part of a pane. */
export interface PaneWindow {
  readonly lines: readonly string[];
  /** The indices of the first and the last visible line of the content. */
  readonly first: number;
  readonly last: number;
  /** How many lines the content has. */
  readonly count: number;
  readonly isWhole: boolean;
}

export class Pane {
  readonly kind: PaneOptions['kind'];
  readonly title: string;
  readonly user: string | undefined;
  readonly copy: string | undefined;
  #blocks: readonly Block[];
  #lines: readonly ContentLine[] = [];
  /** The lines that pass the filter. */
  #shown: readonly ContentLine[] = [];
  #filter = '';
  readonly #fromEnd: boolean;
  #width: number;
  #top: Position;

  constructor({ kind, title, user, blocks, width, copy, fromEnd }: PaneOptions) {
    this.kind = kind;
    this.title = title;
    this.user = user;
    this.copy = copy;
    this.#blocks = blocks;
    this.#width = width;
    this.#fromEnd = fromEnd === true;
    this.#layOut();
    this.#top = this.#firstTop;
  }

  /** Replaces the content and keeps the scroll position. */
  replace(blocks: readonly Block[]): void {
    this.#blocks = blocks;
    this.#layOut();
  }

  get filter(): string {
    return this.#filter;
  }

  /** Shows only the lines that match, as the filter of the list does. */
  setFilter(filter: string): void {
    if (filter === this.#filter) return;
    this.#filter = filter;
    this.#choose();
    this.#top = this.#firstTop;
  }

  /** Lays the content out for another width. */
  resize(width: number): void {
    if (width === this.#width) return;
    this.#width = width;
    this.#layOut();
  }

  scroll(by: number): void {
    this.#top = this.#moved(this.#top, by);
  }

  scrollTo(line: number): void {
    this.#top = { line, row: 0 };
  }

  /** Returns what is visible in so many rows. */
  window(height: number): PaneWindow {
    const end = { line: this.#shown.length - 1, row: Number.MAX_SAFE_INTEGER };
    const lowest = this.#moved(end, 1 - height);
    if (isBefore(lowest, this.#top)) this.#top = lowest;
    const lines: string[] = [];
    const { line: first, row } = this.#top;
    let next = first;
    for (; next < this.#shown.length && lines.length < height; next++)
      lines.push(...this.#rows(next).slice(next === first ? row : 0));
    const isWhole = first === 0 && row === 0 && next >= this.#shown.length && lines.length <= height;
    return {
      lines: lines.slice(0, height),
      first,
      last: Math.max(first, next - 1),
      count: this.#shown.length,
      isWhole,
    };
  }

  /** Returns the position so many rows further on, within the content. */
  #moved({ line, row }: Position, by: number): Position {
    const last = this.#shown.length - 1;
    if (last < 0) return start;
    let at = Math.min(line, last);
    let to = Math.min(line > last ? Number.MAX_SAFE_INTEGER : row, this.#rows(at).length - 1) + by;
    while (to < 0 && at > 0) to += this.#rows(--at).length;
    while (to >= this.#rows(at).length && at < last) to -= this.#rows(at++).length;
    return { line: at, row: Math.max(0, Math.min(to, this.#rows(at).length - 1)) };
  }

  #rows(index: number): readonly string[] {
    const line = this.#shown[index];
    if (line === undefined) return [];
    line.rows ??= wrapped(line.text, this.#width);
    return line.rows;
  }

  /** Renders the content. Must not run while a screen is rendered, because Ink renders one tree at a time. */
  #layOut(): void {
    this.#lines = this.#blocks.flatMap((block) => linesOf(block, this.#width));
    this.#choose();
  }

  #choose(): void {
    const passes = parseFilter(this.#filter);
    this.#shown = this.#lines.filter(({ text }) =>
      passes({ text: stripVTControlCharacters(text).toLowerCase(), labels: {} }),
    );
  }

  get #firstTop(): Position {
    return this.#fromEnd ? { line: Number.MAX_SAFE_INTEGER, row: 0 } : start;
  }
}

function isBefore(a: Position, b: Position): boolean {
  return a.line < b.line || (a.line === b.line && a.row < b.row);
}

function linesOf(block: Block, width: number): ContentLine[] {
  if (block.kind === 'verbatim') return textLines(block.text);
  return renderItem({ kind: 'blocks', blocks: [block] }, width)
    .replace(/\n$/, '')
    .split('\n')
    .map((text) => ({ text, rows: [text] }));
}

/** Returns the end of a text, and says so if something is missing. */
function textLines(text: string): ContentLine[] {
  const all = printableLines(text).split('\n');
  const shown = all
    .slice(-maxTextLines)
    .map((line) => (line.length > maxTextLineLength ? `${line.slice(0, maxTextLineLength).toWellFormed()}…` : line));
  const isAll = all.length === shown.length && shown.every((line, i) => line === all[i]);
  return [...(isAll ? [] : [notAll]), ...shown].map((line) => ({ text: line }));
}
