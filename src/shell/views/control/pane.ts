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

export class Pane {
  readonly kind: PaneOptions['kind'];
  readonly title: string;
  readonly user: string | undefined;
  readonly copy: string | undefined;
  #blocks: readonly Block[];
  #lines: readonly string[] = [];
  /** The lines that pass the filter. */
  #shown: readonly string[] = [];
  #filter = '';
  readonly #fromEnd: boolean;
  #width: number;
  #top: number;

  constructor({ kind, title, user, blocks, width, copy, fromEnd }: PaneOptions) {
    this.kind = kind;
    this.title = title;
    this.user = user;
    this.copy = copy;
    this.#blocks = blocks;
    this.#width = width;
    this.#fromEnd = fromEnd === true;
    this.#layOut();
    this.#top = this.#fromEnd ? Number.MAX_SAFE_INTEGER : 0;
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
    this.#top = this.#fromEnd ? Number.MAX_SAFE_INTEGER : 0;
  }

  /** Lays the content out for another width. */
  resize(width: number): void {
    if (width === this.#width) return;
    this.#width = width;
    this.#layOut();
  }

  scroll(by: number): void {
    this.#top = Math.max(0, this.#top + by);
  }

  scrollTo(line: number): void {
    this.#top = line;
  }

  /** Returns the visible lines, the index of the first, and the number of all lines. */
  window(height: number): { readonly lines: readonly string[]; readonly first: number; readonly count: number } {
    const all = this.#shown;
    this.#top = Math.max(0, Math.min(this.#top, all.length - height));
    return { lines: all.slice(this.#top, this.#top + height), first: this.#top, count: all.length };
  }

  /** Renders the lines. Must not run while a screen is rendered, because Ink renders one tree at a time. */
  #layOut(): void {
    this.#lines = this.#blocks.flatMap((block) => linesOf(block, this.#width));
    this.#choose();
  }

  #choose(): void {
    const passes = parseFilter(this.#filter);
    this.#shown = this.#lines.filter((line) =>
      passes({ text: stripVTControlCharacters(line).toLowerCase(), labels: {} }),
    );
  }
}

function linesOf(block: Block, width: number): string[] {
  if (block.kind === 'verbatim') return wrapped(printableLines(block.text), width);
  return renderItem({ kind: 'blocks', blocks: [block] }, width)
    .replace(/\n$/, '')
    .split('\n');
}
