/** Turns items into sentences for screen readers: states in words, no signs, no columns. */
import { capitalised } from '../../catalogue/declaration/show.ts';
import type { Block } from '../../catalogue/declaration/view.ts';
import type { FailureData } from '../../domain/failure.ts';
import type { EndedCall } from '../../domain/events/notice.ts';
import { printable, printableLines } from '../../domain/text.ts';
import { durationInWords } from '../../domain/values/duration.ts';
import type { Item } from '../items/item.ts';
import { failedWords, showCall } from '../items/words.ts';

/** Items with sentences. `StepAnnouncer` announces steps as they happen; a typed line is already on the terminal. */
export type SaidItem = Exclude<Item, { kind: 'steps' | 'command' }>;

/** Returns the sentences of an item. */
export function sentences(item: SaidItem): string[] {
  switch (item.kind) {
    case 'blocks':
      return item.blocks.flatMap(blockSentences);
    case 'failure':
      return [failureSentence(item.failure)];
    case 'ended':
      return [`${item.meanwhile ? 'While you were away: ' : ''}${endedCall(item.call)}`];
    case 'said':
      return [`${printable(item.name)} says: ${printable(item.text)}`];
    case 'note':
      return [stopped(printableLines(item.text))];
    case 'raw':
      return [printableLines(item.text.replace(/\n$/, ''))];
  }
}

function blockSentences(block: Block): string[] {
  switch (block.kind) {
    case 'text':
      // No full stop is added, because the text may end with a command to copy.
      return [printableLines(block.text)];
    case 'table':
      return block.rows.length === 0
        ? [stopped(printableLines(block.empty))]
        : block.rows.map((row) =>
            rowSentence(
              block.columns.map(({ title }) => title),
              row,
              block.noun,
            ),
          );
    case 'fields':
      return [
        ...(block.title === undefined ? [] : [`${printable(block.title)}:`]),
        ...block.fields.map(([label, value]) => `${printable(label)}: ${valueInWords(value)}`),
      ];
    case 'verbatim':
      // The text is for copying, so it stays as it is.
      return [...(block.title === undefined ? [] : [`${printableLines(block.title)}:`]), printableLines(block.text)];
  }
}

/** Turns a table row into `Container alice-container: status Running, IP 10.0.3.100.` Leaves out empty cells. */
export function rowSentence(titles: readonly string[], row: readonly string[], noun?: string): string {
  const [first = '', ...others] = titles.map((title, i) => ({ title, value: row[i] ?? '' }));
  const said = (cells: readonly { title: string; value: string }[]): string =>
    cells
      .filter(({ value }) => value !== '' && value !== '-')
      .map(({ title, value }) => `${titleInWords(title)} ${valueInWords(value)}`)
      .join(', ');
  if (first === '') return '';
  // After "Container of", the user needs no title.
  const named = noun !== undefined && first.title === 'USER' ? noun : capitalised(titleInWords(first.title));
  const rest = said(others);
  return stopped(`${named} ${valueInWords(first.value)}${rest === '' ? '' : `: ${rest}`}`);
}

const acronyms = new Set(['IP', 'CPU', 'SSH', 'ID']);

export function titleInWords(title: string): string {
  return title
    .split(' ')
    .map((word) => (acronyms.has(word) ? word : word.toLowerCase()))
    .join(' ');
}

// No size has more digits, and without a limit the pattern would go back over a long number.
const size = String.raw`[\d.]{1,20} [KMGTP]?i?B`;
const use = new RegExp(`^(.*?)(-|${size}) / (${size})(?: \\((<?)([\\d.]+)%\\))?$`);

/** Returns a value with its signs as words. */
export function valueInWords(value: string): string {
  if (value === '-') return 'none';
  const found = use.exec(value);
  if (found !== null) {
    const [, before = '', used = '', whole = '', less, part] = found;
    return `${printable(before)}${used === '-' ? 'unknown' : used} of ${whole}${part === undefined ? '' : `, ${less === '<' ? 'less than ' : ''}${part} percent`}`;
  }
  return printable(value)
    .replace(/(^|[ (])<(\d+)%(?!\w)/g, '$1less than $2 percent')
    .replace(/(^|[ (])(\d+(?:\.\d+)?)%(?!\w)/g, '$1$2 percent')
    .replaceAll(' → ', ' to ');
}

export function failureSentence({ what, why, code, next }: FailureData): string {
  return `Error: ${printableLines(what)}: ${printableLines(why)} (${code}).${next === undefined ? '' : ` Next: ${stopped(printableLines(next))}`}`;
}

/** Returns the sentence about another admin's call. */
function endedCall(call: EndedCall): string {
  const who = printable(call.actor);
  const what = printable(showCall(call));
  if (call.outcome === 'ok') return `${who}: ${what} finished in ${durationInWords(call.durationMs)}.`;
  return stopped(`${who}: ${what} ${printable(failedWords(call))}`);
}

/** Adds a full stop unless the text ends with punctuation, because a screen reader pauses there. */
export function stopped(text: string): string {
  return text === '' || /[.!?:;)]$/.test(text) ? text : `${text}.`;
}
