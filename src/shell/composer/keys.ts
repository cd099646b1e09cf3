/** Keys by name, whatever bytes a terminal sends for them, and several in one packet taken apart. */
import type { Key as InkKey } from 'ink';
import { looksLikePaste } from '../terminal/pastes.ts';

export interface Key {
  /** `text` for printable characters, else the key's name: `enter`, `up`, `ctrl-a`, `alt-b`. */
  readonly name: string;
  readonly text: string;
}

/** Whatever has the keys: the composer, a question, a form, a view. */
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

/**
 * The keys that Ink's `useInput` reports as one event; `paste` where the event is a paste that the terminal did not
 * mark as one.
 */
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

/** Typed ahead, or sent by a program: several keys in one piece. */
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
