/** An item as text with styles, ready to be written above the live part of the screen. */
import { renderToString } from 'ink';
import type { Block } from '../../catalogue/declaration/view.ts';
import { printableLines } from '../../domain/text.ts';
import { BlockView } from './BlockView.tsx';
import type { Item } from './item.ts';
import { ItemView } from './ItemView.tsx';

/** Ends with a line feed, unless it is empty. */
export function renderItem(item: Item, width: number): string {
  switch (item.kind) {
    case 'raw':
      return ended(printableLines(item.text));
    case 'blocks':
      return item.blocks.map((block) => renderBlock(block, width)).join('');
    default:
      return ended(renderToString(<ItemView item={item} />, { columns: width }));
  }
}

function renderBlock(block: Block, width: number): string {
  if (block.kind !== 'verbatim')
    return ended(renderToString(<BlockView block={block} width={width} />, { columns: width }));
  // As it is, whatever the width: the terminal wraps it, and whoever copies it gets it whole.
  return ended(
    `${block.title === undefined ? '' : `\n\x1b[1m${printableLines(block.title)}\x1b[22m\n`}${printableLines(block.text)}`,
  );
}

function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
