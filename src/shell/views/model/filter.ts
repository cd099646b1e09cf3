/** What a filter lets through: words that all have to match, each a piece of text, `!text`, or `label:key=value`. */

export interface Filtered {
  /** Everything that the columns say, in lower case. */
  readonly text: string;
  readonly labels: Readonly<Record<string, string>>;
}

type Test = (row: Filtered) => boolean;

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
  // While it is being typed, "label:" and "label:te" already say which labels are meant.
  if (value === undefined) return ({ labels }) => Object.keys(labels).some((each) => each.startsWith(key));
  return ({ labels }) => labels[key]?.toLowerCase() === value.slice(1);
}

/** The option of `list` that says the same, where one does. */
export function listOption(filter: string): string | undefined {
  const words = filter.trim().split(/\s+/);
  return words.every((word) => /^label:[a-z0-9._-]+(=\S+)?$/.test(word))
    ? words.map((word) => `--label ${word.slice('label:'.length)}`).join(' ')
    : undefined;
}
