/** What is opened on top of the list: blocks of an answer as lines, and which of them are seen. */
import type { Block } from '../../../catalogue/declaration/view.ts';
import { printableLines } from '../../../domain/text.ts';
import { renderItem } from '../../items/renderItem.tsx';
import { wrapped } from '../layout/cells.ts';

export interface PaneOptions {
  readonly kind: 'details' | 'text' | 'help';
  readonly title: string;
  /** The user whose container it is about. */
  readonly user?: string;
  readonly blocks: readonly Block[];
  /** Cells of a line. */
  readonly width: number;
  /** What is put on the clipboard. */
  readonly copy?: string;
  /** What is written last is what is wanted: a log. */
  readonly fromEnd?: boolean;
}

export class Pane {
  readonly kind: PaneOptions['kind'];
  readonly title: string;
  readonly user: string | undefined;
  readonly copy: string | undefined;
  #blocks: readonly Block[];
  #lines: readonly string[] = [];
  #width: number;
  #top: number;

  constructor({ kind, title, user, blocks, width, copy, fromEnd }: PaneOptions) {
    this.kind = kind;
    this.title = title;
    this.user = user;
    this.copy = copy;
    this.#blocks = blocks;
    this.#width = width;
    this.#lay();
    this.#top = fromEnd === true ? Number.MAX_SAFE_INTEGER : 0;
  }

  /** Other figures in the same place: what is seen stays where it is. */
  replace(blocks: readonly Block[]): void {
    this.#blocks = blocks;
    this.#lay();
  }

  /** The window is another one. */
  resize(width: number): void {
    if (width === this.#width) return;
    this.#width = width;
    this.#lay();
  }

  scroll(by: number): void {
    this.#top = Math.max(0, this.#top + by);
  }

  scrollTo(line: number): void {
    this.#top = line;
  }

  /** The lines that are seen, and what part of the whole they are. */
  window(height: number): { readonly lines: readonly string[]; readonly first: number; readonly count: number } {
    const all = this.#lines;
    this.#top = Math.max(0, Math.min(this.#top, all.length - height));
    return { lines: all.slice(this.#top, this.#top + height), first: this.#top, count: all.length };
  }

  /** Never while a screen is being rendered: Ink renders one thing at a time. */
  #lay(): void {
    this.#lines = this.#blocks.flatMap((block) => linesOf(block, this.#width));
  }
}

function linesOf(block: Block, width: number): string[] {
  if (block.kind === 'verbatim') return wrapped(printableLines(block.text), width);
  return renderItem({ kind: 'blocks', blocks: [block] }, width)
    .replace(/\n$/, '')
    .split('\n');
}
