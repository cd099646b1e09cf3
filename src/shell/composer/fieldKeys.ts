/** Editing in a field of a question or a form: fewer keys than the composer has, the same ones. */
import { backspace, deleteForward, end, home, killBlankWord, killToEnd, killToStart, left, right, wordLeft, wordRight, type Line } from './line.ts';

export const edits: Readonly<Record<string, (line: Line) => Line>> = {
  'backspace': backspace,
  'ctrl-h': backspace,
  'delete': deleteForward,
  'left': left,
  'ctrl-b': left,
  'right': right,
  'ctrl-f': right,
  'home': home,
  'ctrl-a': home,
  'end': end,
  'ctrl-e': end,
  'ctrl-left': wordLeft,
  'alt-b': wordLeft,
  'ctrl-right': wordRight,
  'alt-f': wordRight,
  'ctrl-u': (line) => killToStart(line).line,
  'ctrl-k': (line) => killToEnd(line).line,
  'ctrl-w': (line) => killBlankWord(line).line,
};
