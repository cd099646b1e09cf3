import { renderToString } from 'ink';
import type { Block } from '../../catalogue/declaration/view.ts';
import { printableLines } from '../../domain/text.ts';
import { BlockView } from './BlockView.tsx';
import type { Item } from './item.ts';
import { ItemView } from './ItemView.tsx';

/** Renders an item as styled text. It ends with a line feed, unless it is empty. */
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
  // Not broken into lines: the terminal wraps it, and a copy from the screen stays whole.
  return ended(
    `${block.title === undefined ? '' : `\n\x1b[1m${printableLines(block.title)}\x1b[22m\n`}${printableLines(block.text)}`,
  );
}

function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
