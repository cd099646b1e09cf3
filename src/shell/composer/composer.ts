/**
 * The input line: editing, completion, history and search, with the keys of readline(3). Independent of how it is
 * displayed.
 */
import { commonBeginning, type Completion } from '../../catalogue/completion.ts';
import { Failure } from '../../domain/failure.ts';
import type { History } from './history.ts';
import { changes, kills, movements } from './editKeys.ts';
import type { Key } from './keys.ts';
import * as edit from './line.ts';
import { emptyLine, lineOf, type Cut, type Line } from './line.ts';
import { insertPaste } from './pastedLines.ts';
import { quoteWord } from '../../catalogue/tokens.ts';
import type { Candidate } from '../../domain/events/candidate.ts';

export interface Suggestions {
  readonly candidates: readonly Candidate[];
  readonly selected: number;
  readonly from: number;
  readonly after: string;
  /** The line that they complete. For another line they are stale, until the answer for that one comes. */
  readonly line: Line;
}

export interface Search {
  readonly text: string;
  readonly nth: number;
  readonly found: string | undefined;
}

export interface ComposerState {
  readonly line: Line;
  /** Pasted lines before it. */
  readonly pasted: readonly string[];
  readonly suggestions: Suggestions | undefined;
  readonly search: Search | undefined;
  /** True if the next Ctrl-C leaves the shell. */
  readonly leaving: boolean;
}

export interface ComposerActions {
  readonly changed: () => void;
  readonly submit: (line: string) => void;
  /** Runs pasted lines one after the other. */
  readonly submitPasted: (lines: readonly string[]) => void;
  /** Says that a paste was not taken. */
  readonly refuse: (failure: Failure) => void;
  /** Leaves the shell when what runs has ended. */
  readonly leave: () => void;
  readonly leaveAtOnce: () => void;
  /** Whether no more input will come. */
  readonly hasInputEnded: () => boolean;
  /** Stops a running call. Returns false if no call can be stopped. */
  readonly stop: () => boolean;
  readonly clearScreen: () => void;
  readonly complete: (text: string, cursor: number) => Promise<Completion>;
  /** Opens the live list. */
  readonly openView: () => void;
}

/** The longest search text, in UTF-16 units; the rest is dropped. */
const maxSearchLength = 256;

export class Composer {
  #state: ComposerState = {
    line: emptyLine,
    pasted: [],
    suggestions: undefined,
    search: undefined,
    leaving: false,
  };
  #killed = '';
  /** What Up looks for: the text before the cursor when Up was first pressed. */
  #prefix: string | undefined;
  /** Numbers the completion requests, so that an answer for an older line is dropped. */
  #asked = 0;
  readonly #history: History;
  readonly #actions: ComposerActions;

  constructor(history: History, actions: ComposerActions) {
    this.#history = history;
    this.#actions = actions;
  }

  get state(): ComposerState {
    return this.#state;
  }

  /** Replaces the line. */
  set(text: string): void {
    this.#prefix = undefined;
    this.#change({ line: lineOf(text), suggestions: undefined, search: undefined });
  }

  /** Inserts a paste as text. Its lines stay lines, and nothing runs. */
  paste(text: string): void {
    const { pasted: lines, line } = this.#state;
    const pasted = insertPaste({ lines, line }, text);
    if (pasted instanceof Failure) return this.#actions.refuse(pasted);
    this.#change({ pasted: pasted.lines });
    this.#edit(pasted.line);
  }

  key(key: Key): void {
    if (this.#state.search !== undefined) return this.#searchKey(key);
    if (key.name !== 'ctrl-c' && this.#state.leaving) this.#change({ leaving: false });
    if (key.name === 'text') return this.#typed(key.text);
    const { suggestions } = this.#state;
    if (suggestions !== undefined && this.#suggestionKey(key, suggestions)) return;
    this.#editKey(key);
  }

  #typed(text: string): void {
    this.#edit(edit.insert(this.#state.line, text));
  }

  #editKey({ name }: Key): void {
    const { line } = this.#state;
    switch (name) {
      case 'enter':
        return this.#submit();
      case 'tab':
        return this.#complete();
      case 'ctrl-c':
        return this.#interrupt();
      case 'ctrl-d':
        return this.#endOfInput();
      case 'backspace':
        return line.text === '' && this.#state.pasted.length > 0 ? this.#takeBack() : this.#edit(edit.backspace(line));
      case 'ctrl-r':
        return this.#change({ search: { text: '', nth: 0, found: undefined }, suggestions: undefined });
      case 'ctrl-l':
        return this.#actions.clearScreen();
      case 'ctrl-o':
        return this.#actions.openView();
      case 'up':
      case 'ctrl-p':
        return this.#walk('older');
      case 'down':
      case 'ctrl-n':
        return this.#walk('newer');
      case 'ctrl-y':
        return this.#edit(edit.insert(line, this.#killed));
      default: {
        const moved = movements[name];
        if (moved !== undefined) return this.#change({ line: moved(line), suggestions: undefined });
        const changed = changes[name];
        if (changed !== undefined) return this.#edit(changed(line));
        const killed = kills[name];
        if (killed !== undefined) this.#kill(killed(line));
      }
    }
  }

  #kill({ line, killed }: Cut): void {
    if (killed !== '') this.#killed = killed;
    this.#edit(line);
  }

  #edit(line: Line): void {
    this.#prefix = undefined;
    this.#history.reset();
    const open = this.#state.suggestions !== undefined;
    const { suggestions } = this.#state;
    // What was selected completes the line before: it must not replace what was typed since.
    this.#change({ line, suggestions: suggestions === undefined ? undefined : { ...suggestions, selected: -1 } });
    // An open list of suggestions follows the typed text.
    if (open) this.#suggest();
  }

  #submit(): void {
    const { line, pasted } = this.#state;
    const lines = [...pasted, line.text].filter((text) => text.trim() !== '');
    this.#asked++;
    this.#prefix = undefined;
    this.#change({ line: emptyLine, pasted: [], suggestions: undefined });
    this.#history.add(...lines);
    if (pasted.length > 0) this.#actions.submitPasted(lines);
    else for (const text of lines) this.#actions.submit(text);
  }

  /** Handles Ctrl-D, which also stands for the end of the input: then no Enter will come. */
  #endOfInput(): void {
    const { line, pasted } = this.#state;
    if (this.#actions.hasInputEnded()) this.#submit();
    else if (line.text !== '' || pasted.length > 0) return this.#edit(edit.deleteForward(line));
    this.#actions.leave();
  }

  /** Edits the last pasted line again. */
  #takeBack(): void {
    const { pasted } = this.#state;
    this.#change({ pasted: pasted.slice(0, -1) });
    this.#edit(lineOf(pasted.at(-1) ?? ''));
  }

  /** Handles Ctrl-C: clears the line, or stops a call, or asks whether to leave, or leaves. */
  #interrupt(): void {
    const { line, pasted, suggestions, leaving } = this.#state;
    if (line.text !== '' || pasted.length > 0 || suggestions !== undefined)
      return this.#change({ line: emptyLine, pasted: [], suggestions: undefined, leaving: false });
    // What has begun since the last Ctrl-C comes first.
    if (this.#actions.stop()) return this.#change({ leaving: false });
    if (leaving) return this.#actions.leaveAtOnce();
    this.#change({ leaving: true });
  }

  #walk(direction: 'older' | 'newer'): void {
    const { line } = this.#state;
    this.#prefix ??= line.text.slice(0, line.cursor);
    const found =
      direction === 'older'
        ? this.#history.older(line.text, this.#prefix)
        : this.#history.newer(line.text, this.#prefix);
    if (found !== undefined) this.#change({ line: lineOf(found), suggestions: undefined });
  }

  #complete(): void {
    void this.#ask((completion) => {
      const { line } = this.#state;
      const [first, ...others] = completion.candidates;
      if (first === undefined) return;
      if (others.length === 0) return this.#take(completion, first);
      const typed = line.text.slice(completion.from, line.cursor);
      const common = commonBeginning(completion.candidates);
      if (common.length > typed.length && common.toLowerCase().startsWith(typed.toLowerCase()))
        this.#replace(completion.from, common);
      this.#change({
        suggestions: {
          candidates: completion.candidates,
          selected: -1,
          from: completion.from,
          after: completion.after,
          line: this.#state.line,
        },
      });
    });
  }

  /** Updates an open list of suggestions. */
  #suggest(): void {
    void this.#ask((completion) => {
      const { candidates, from, after } = completion;
      const { line } = this.#state;
      this.#change({
        suggestions: candidates.length === 0 ? undefined : { candidates, selected: -1, from, after, line },
      });
    });
  }

  async #ask(use: (completion: Completion) => void): Promise<void> {
    const asked = ++this.#asked;
    const { line } = this.#state;
    const completion = await this.#actions.complete(line.text, line.cursor).catch(() => undefined);
    // What is typed while the host is asked makes the answer one for another line.
    if (completion === undefined || asked !== this.#asked || line !== this.#state.line) return;
    use(completion);
  }

  #take({ from, after }: Pick<Completion, 'from' | 'after'>, { value }: Candidate): void {
    this.#replace(from, quoteWord(value) + after);
    this.#change({ suggestions: undefined });
  }

  #replace(from: number, by: string): void {
    this.#change({ line: edit.replaced(this.#state.line, from, by) });
  }

  /** Handles a key while the list of suggestions is open. Returns false if the key is not for the list. */
  #suggestionKey({ name }: Key, suggestions: Suggestions): boolean {
    const { candidates, selected } = suggestions;
    // Stale ones cannot be selected. Until the answer comes, keys that would select one do nothing, but Tab asks again.
    if (suggestions.line !== this.#state.line && name !== 'escape') return selecting.includes(name);
    const select = (index: number): true => {
      this.#change({ suggestions: { ...suggestions, selected: (index + candidates.length) % candidates.length } });
      return true;
    };
    switch (name) {
      case 'tab': {
        const [only, ...others] = candidates;
        if (only === undefined || others.length > 0) return select(selected + 1);
        this.#take(suggestions, only);
        return true;
      }
      case 'down':
      case 'ctrl-n':
        return select(selected + 1);
      case 'shift-tab':
      case 'up':
      case 'ctrl-p':
        return select(selected === -1 ? candidates.length - 1 : selected - 1);
      case 'enter': {
        const chosen = candidates[selected];
        if (chosen === undefined) return false;
        this.#take(suggestions, chosen);
        return true;
      }
      case 'right':
      case 'end': {
        const chosen = candidates[selected];
        if (chosen === undefined) return false;
        this.#take(suggestions, chosen);
        return true;
      }
      case 'escape':
        this.#asked++;
        this.#change({ suggestions: undefined });
        return true;
      default:
        return false;
    }
  }

  #searchKey(key: Key): void {
    const { search } = this.#state;
    if (search === undefined) return;
    switch (key.name) {
      case 'text':
        return this.#look(search.text + key.text, 0);
      case 'backspace':
      case 'delete':
        return this.#look([...search.text].slice(0, -1).join(''), 0);
      case 'ctrl-r': {
        const older = this.#history.find(search.text, search.nth + 1);
        return older === undefined
          ? undefined
          : this.#change({ search: { ...search, nth: search.nth + 1, found: older } });
      }
      case 'enter':
        this.#endSearch(search.found);
        return this.#submit();
      case 'escape':
      case 'ctrl-g':
      case 'ctrl-c':
        return this.#change({ search: undefined });
      default:
        // Any other key accepts the found line and then acts on it.
        this.#endSearch(search.found);
        this.key(key);
    }
  }

  #look(text: string, nth: number): void {
    const wanted = text.slice(0, maxSearchLength);
    this.#change({ search: { text: wanted, nth, found: this.#history.find(wanted, nth) } });
  }

  #endSearch(found: string | undefined): void {
    this.#change({ search: undefined, ...(found === undefined ? {} : { line: lineOf(found) }) });
  }

  #change(change: Partial<ComposerState>): void {
    this.#state = { ...this.#state, ...change };
    this.#actions.changed();
  }
}

/** Keys that select a suggestion, besides Tab. */
const selecting: readonly string[] = ['shift-tab', 'up', 'down', 'ctrl-n', 'ctrl-p'];
