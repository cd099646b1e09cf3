/** Names keys, and splits a packet that contains several. */
import type { Key as InkKey } from 'ink';
import { looksLikePaste } from '../terminal/pastes.ts';

export interface Key {
  /** `text` for printable characters, otherwise the key's name: `enter`, `up`, `ctrl-a`, `alt-b`. */
  readonly name: string;
  readonly text: string;
  /** It came together with other keys. */
  readonly withOthers?: true;
}

/** A receiver of keys: the composer, a dialog, a view. */
export interface Keyed {
  key(key: Key): void;
  paste(text: string): void;
}

const named: readonly (readonly [keyof InkKey, string])[] = [
  ['return', 'enter'],
  ['escape', 'escape'],
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'page-up'],
  ['pageDown', 'page-down'],
  ['home', 'home'],
  ['end', 'end'],
  ['tab', 'tab'],
  ['backspace', 'backspace'],
  ['delete', 'delete'],
];

/** Returns the keys in one event of Ink's `useInput`, or `paste` if the event looks like a paste without markers. */
export function keysOf(input: string, key: InkKey): readonly Key[] | { readonly paste: string } {
  const found = named.find(([property]) => key[property] === true);
  if (found !== undefined) {
    const [, name] = found;
    if (name === 'escape' && input !== '') return [{ name: 'escape', text: '' }, ...split(input)];
    return [
      {
        name: `${key.ctrl ? 'ctrl-' : ''}${key.meta && name !== 'escape' ? 'alt-' : ''}${key.shift && name === 'tab' ? 'shift-' : ''}${name}`,
        text: '',
      },
    ];
  }
  if (key.ctrl) return [{ name: `ctrl-${input}`, text: '' }];
  if (key.meta && [...input].length === 1) return [{ name: `alt-${input}`, text: '' }];
  if (looksLikePaste(input)) return { paste: input };
  return split(input);
}

const controlNames: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x1b': 'escape',
};

/** Splits input that was typed ahead or sent by a program into keys. */
export function split(input: string): Key[] {
  const keys: Key[] = [];
  let text = '';
  const flush = (): void => {
    if (text !== '') keys.push({ name: 'text', text });
    text = '';
  };
  for (const c of input) {
    const code = c.codePointAt(0) ?? 0;
    if (code >= 0x20 && code !== 0x7f && !(code >= 0x80 && code < 0xa0)) {
      text += c;
      continue;
    }
    flush();
    const name = controlNames[c] ?? (code > 0 && code < 27 ? `ctrl-${String.fromCharCode(code + 96)}` : undefined);
    if (name !== undefined) keys.push({ name, text: '' });
  }
  flush();
  return keys;
}
