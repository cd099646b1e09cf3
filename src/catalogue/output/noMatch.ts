/** Names what a result was filtered by if nothing is left: a filter may be mistyped, and the host may not be empty. */
import { quoted } from '../../domain/text.ts';
import type { Parameter } from '../declaration/verb.ts';
import type { Block } from '../declaration/view.ts';

/** Returns blocks in which a table without rows says what nothing matches: `No containers match --label team`. */
export function namingFilters(
  blocks: readonly Block[],
  { parameters }: { readonly parameters: readonly Parameter[] },
  input: Readonly<Record<string, unknown>>,
): readonly Block[] {
  const filters = parameters
    .filter(({ name, narrows }) => narrows === true && input[name] !== undefined)
    .flatMap((parameter) => {
      const values = [input[parameter.name]].flat().map((value) => wordOf(String(value)));
      return parameter.kind === 'argument' ? values : values.map((value) => `--${parameter.long[0]} ${value}`);
    });
  if (filters.length === 0) return blocks;
  return blocks.map((block) =>
    block.kind === 'table' && block.rows.length === 0 && block.empty.startsWith('No ')
      ? { ...block, empty: `${block.empty} match ${filters.join(' ')}` }
      : block,
  );
}

function wordOf(value: string): string {
  return /^[\w.,:=@%+/~-]+$/.test(value) ? value : quoted(value);
}
