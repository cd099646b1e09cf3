/**
 * Filters of the live list. Every word must match; a word is text, `!text`, or `label:key=value`, quoted as on the
 * command line.
 */
import { quoteWord, wordsSoFar } from '../../../catalogue/tokens.ts';

import { own } from '../../../domain/own.ts';

export interface FilterRow {
  /** The text of all columns, in lower case. */
  readonly text: string;
  readonly labels: Readonly<Record<string, string>>;
}

type Test = (row: FilterRow) => boolean;

export function parseFilter(filter: string): Test {
  const tests = wordsSoFar(filter.toLowerCase())
    .filter(({ text }) => text !== '' && text !== '!')
    .map(({ text }) => testOf(text));
  return (row) => tests.every((test) => test(row));
}

function testOf(word: string): Test {
  const wanted = word.replace(/^!+/, '');
  const test = positiveTestOf(wanted);
  return (word.length - wanted.length) % 2 === 0 ? test : (row) => !test(row);
}

function positiveTestOf(word: string): Test {
  const label = /^label:([^=]*)(=.*)?$/s.exec(word);
  if (label === null) return ({ text }) => text.includes(word);
  const [, key = '', value] = label;
  // A filter takes effect while it is typed: `label:te` matches every label key that begins with "te".
  if (value === undefined) return ({ labels }) => Object.keys(labels).some((each) => each.startsWith(key));
  return ({ labels }) => own(labels, key)?.toLowerCase() === value.slice(1);
}

/** Returns the equivalent options of `list`, or nothing if there are none. */
export function listOption(filter: string): string | undefined {
  const words = wordsSoFar(filter).map(({ text }) => text);
  return words.length > 0 && words.every((word) => /^label:[a-z0-9._-]+(=.+)?$/.test(word))
    ? words.map((word) => `--label ${quoteWord(word.slice('label:'.length))}`).join(' ')
    : undefined;
}
