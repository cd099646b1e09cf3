/** Names the keys whose sequences SequenceReader passes on, as the composer names them. */

/** Cursor keys by their final character. */
const cursorKeys: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  F: 'end',
  H: 'home',
};

const otherKeys: Readonly<Record<string, string>> = {
  '[3~': 'delete',
  '[127;5u': 'ctrl-backspace',
  '\x7f': 'alt-backspace',
  b: 'alt-b',
  d: 'alt-d',
  f: 'alt-f',
};

/** Modifiers by xterm's number. */
const modifiers: Readonly<Record<string, string>> = { 3: 'alt-', 5: 'ctrl-' };

/** Returns the name of a key that edits or recalls a line, by what follows the escape character. */
export function sequenceName(sequence: string): string | undefined {
  const match = /^(?:\[(?:1;(\d))?|O)([A-FH])$/.exec(sequence);
  if (match === null) return otherKeys[sequence];
  const [, modifier, final = ''] = match;
  const key = cursorKeys[final];
  const prefix = modifier === undefined ? '' : modifiers[modifier];
  return key === undefined || prefix === undefined ? undefined : prefix + key;
}
