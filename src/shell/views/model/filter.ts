/** Filters of the live list. Every word must match; a word is text, `!text`, or `label:key=value`. */

export interface FilterRow {
  /** The text of all columns, in lower case. */
  readonly text: string;
  readonly labels: Readonly<Record<string, string>>;
}

type Test = (row: FilterRow) => boolean;

export function parseFilter(filter: string): Test {
  const tests = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '' && word !== '!')
    .map(testOf);
  return (row) => tests.every((test) => test(row));
}

function testOf(word: string): Test {
  if (word.startsWith('!')) {
    const test = testOf(word.slice(1));
    return (row) => !test(row);
  }
  const label = /^label:([^=]*)(=.*)?$/.exec(word);
  if (label === null) return ({ text }) => text.includes(word);
  const [, key = '', value] = label;
  // A filter takes effect while it is typed: `label:te` matches every label key that begins with "te".
  if (value === undefined) return ({ labels }) => Object.keys(labels).some((each) => each.startsWith(key));
  return ({ labels }) => labels[key]?.toLowerCase() === value.slice(1);
}

/** Returns the equivalent options of `list`, or nothing if there are none. */
export function listOption(filter: string): string | undefined {
  const words = filter.trim().split(/\s+/);
  return words.every((word) => /^label:[a-z0-9._-]+(=\S+)?$/.test(word))
    ? words.map((word) => `--label ${word.slice('label:'.length)}`).join(' ')
    : undefined;
}
