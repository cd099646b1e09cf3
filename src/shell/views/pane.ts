/** What is opened on top of the list: blocks of an answer as lines, and which of them are seen. */
import type { Block } from '../../catalogue/view.ts';
import { printableLines } from '../../domain/text.ts';
import { renderItem } from '../items/renderItem.tsx';
import { wrapped } from './cells.ts';

export interface PaneOptions {
  readonly kind: 'details' | 'text' | 'help';
  readonly title: string;
  /** The user whose container it is about. */
  readonly user?: string;
  readonly blocks: readonly Block[];
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
  #lines: { readonly width: number; readonly all: readonly string[] } | undefined;
  #top: number;

  constructor({ kind, title, user, blocks, copy, fromEnd }: PaneOptions) {
    this.kind = kind;
    this.title = title;
    this.user = user;
    this.copy = copy;
    this.#blocks = blocks;
    this.#top = fromEnd === true ? Number.MAX_SAFE_INTEGER : 0;
  }

  /** Other figures in the same place: what is seen stays where it is. */
  replace(blocks: readonly Block[]): void {
    this.#blocks = blocks;
    this.#lines = undefined;
  }

  scroll(by: number): void {
    this.#top = Math.max(0, this.#top + by);
  }

  scrollTo(line: number): void {
    this.#top = line;
  }

  /** The lines that are seen, and what part of the whole they are. */
  window(width: number, height: number): { readonly lines: readonly string[]; readonly first: number; readonly count: number } {
    if (this.#lines?.width !== width) this.#lines = { width, all: this.#blocks.flatMap((block) => linesOf(block, width)) };
    const { all } = this.#lines;
    this.#top = Math.max(0, Math.min(this.#top, all.length - height));
    return { lines: all.slice(this.#top, this.#top + height), first: this.#top, count: all.length };
  }
}

function linesOf(block: Block, width: number): string[] {
  if (block.kind === 'verbatim') return wrapped(printableLines(block.text), width);
  return renderItem({ kind: 'blocks', blocks: [block] }, width).replace(/\n$/, '').split('\n');
}
