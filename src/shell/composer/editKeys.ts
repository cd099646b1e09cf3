/** The keys of readline(3) that edit a line, in the composer and in every field. */
import * as edit from './line.ts';
import type { Cut, Line } from './line.ts';

export const movements: Readonly<Record<string, (line: Line) => Line>> = {
  left: edit.left,
  'ctrl-b': edit.left,
  right: edit.right,
  'ctrl-f': edit.right,
  home: edit.home,
  'ctrl-a': edit.home,
  end: edit.end,
  'ctrl-e': edit.end,
  'ctrl-left': edit.wordLeft,
  'alt-left': edit.wordLeft,
  'alt-b': edit.wordLeft,
  'ctrl-right': edit.wordRight,
  'alt-right': edit.wordRight,
  'alt-f': edit.wordRight,
};

export const changes: Readonly<Record<string, (line: Line) => Line>> = {
  backspace: edit.backspace,
  'ctrl-h': edit.backspace,
  delete: edit.deleteForward,
  'ctrl-t': edit.transpose,
};

export const kills: Readonly<Record<string, (line: Line) => Cut>> = {
  'ctrl-k': edit.killToEnd,
  'ctrl-u': edit.killToStart,
  'ctrl-w': edit.killBlankWord,
  'alt-backspace': edit.killWordBack,
  'ctrl-backspace': edit.killWordBack,
  'alt-d': edit.killWordForward,
};

/** Returns a line of a field after a key, or nothing if the key does not edit. What it cuts is not kept. */
export function edited(line: Line, name: string): Line | undefined {
  return (movements[name] ?? changes[name])?.(line) ?? kills[name]?.(line).line;
}
