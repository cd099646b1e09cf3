/** Controls the live list: turns keys and updates into state. Independent of how it is displayed. */
import type { Failure } from '../../../domain/failure.ts';
import type { FeedContainer, FeedUpdate } from '../../../domain/events/notice.ts';
import { edited } from '../../composer/editKeys.ts';
import type { Key, Keyed } from '../../composer/keys.ts';
import { insert, lineOf, type Line } from '../../composer/line.ts';
import { Store } from '../../screen/store.ts';
import type { ShellModel } from '../../model/shellModel.ts';
import { Actions } from './actions.ts';
import { bindingOf, bindingsFor, type ActionName, type Binding, type Place } from '../model/bindings.ts';
import { columnOf } from '../model/columns.ts';
import { listOption } from '../model/filter.ts';
import { helpBlocks } from '../model/helpBlocks.ts';
import { Widths } from '../layout/layout.ts';
import { ListModel } from '../model/listModel.ts';
import { Pane } from './pane.ts';
import { answeredTooEarly, cancelled, commandMessage, failureMessage, type Message } from './messages.ts';
import type { Question, ViewState } from './viewState.ts';

export interface ControllerOptions {
  readonly shell: Pick<ShellModel, 'options' | 'liveCalls' | 'runDirectly'>;
  /** Returns the rows of a page. */
  readonly page: () => number;
  /** Returns the width of a line, in cells. */
  readonly width: () => number;
  readonly close: () => void;
  /** Returns the time in milliseconds, as performance.now(). */
  readonly nowMs?: () => number;
}

/** How long no key may have come before one that answers a question: the time to read it. */
const minReadingMs = 500;

/** The longest filter, in UTF-16 units; the rest is dropped. Each key filters the list again. */
const maxFilterLength = 256;

export class ListController implements Keyed {
  readonly model = new ListModel();
  readonly widths = new Widths();
  readonly bindings: readonly Binding[];
  readonly store = new Store<ViewState>({
    dialog: undefined,
    pane: undefined,
    typing: undefined,
    question: undefined,
    message: undefined,
  });
  readonly #options: ControllerOptions;
  readonly #actions: Actions;
  /** The text that the help covers. */
  #belowHelp: Pane | undefined;
  readonly #nowMs: () => number;
  /** When the last key came. */
  #lastKeyMs = 0;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.bindings = bindingsFor(options.shell.options.actor);
    this.#actions = new Actions({
      shell: options.shell,
      state: this.store.get,
      set: (state) => this.#set(state),
      width: options.width,
    });
  }

  apply(update: FeedUpdate): void {
    this.model.apply(update);
    this.widths.see(update.changed, this.model.now);
    this.#actions.details?.apply(update);
    this.changed();
  }

  /** Called when the list cannot be followed at all. */
  setStale(failure: Failure): void {
    this.model.setStale(`${failure.what}: ${failure.why}`);
    this.changed();
  }

  end(): void {
    this.#actions.closeDetails();
  }

  /** Called when the window was resized, before the next frame is drawn. */
  resized(): void {
    this.store.get().pane?.resize(this.#options.width());
    this.#belowHelp?.resize(this.#options.width());
  }

  changed(): void {
    this.#set({});
  }

  fail(error: unknown): void {
    this.#set({ message: failureMessage(error) });
  }

  /** Shows a warning in the footer. */
  warn(text: string): void {
    this.#set({ message: { tone: 'warn', text } });
  }

  key(key: Key): void {
    const { question } = this.store.get();
    const nowMs = this.#nowMs();
    const isRead = key.withOthers !== true && nowMs - this.#lastKeyMs >= minReadingMs;
    this.#lastKeyMs = nowMs;
    if (question === undefined) this.#take(key);
    else this.#answer(question, key, isRead);
  }

  #take({ name, text }: Key): void {
    if (name !== 'text') return this.#press(name, '');
    // Several keys may arrive at once, and the first may open a dialog that the others are for.
    for (let rest = text; rest !== '';) {
      const taken = this.#takesText ? rest : String.fromCodePoint(rest.codePointAt(0) ?? 0);
      this.#press('text', taken);
      rest = rest.slice(taken.length);
      // None of the keys that came with the one that asks can answer it, nor do they mean anything else.
      const { question } = this.store.get();
      if (question !== undefined && rest !== '') return this.#answer(question, { name: 'text', text: rest }, false);
    }
  }

  /** Whether typed characters are text rather than keys. */
  get #takesText(): boolean {
    const { dialog, typing } = this.store.get();
    return dialog !== undefined || typing !== undefined;
  }

  /** Inserts a paste into a dialog or the filter. In the list it does nothing: a paste must not stop containers. */
  paste(text: string): void {
    const { dialog, typing } = this.store.get();
    if (dialog !== undefined) dialog.paste(text);
    else if (typing !== undefined) this.#typed(insert(typing, text.replace(/\p{Cc}+/gu, ' ').trim(), maxFilterLength));
  }

  get place(): Place {
    const { pane } = this.store.get();
    return pane === undefined ? 'list' : pane.kind === 'details' ? 'details' : 'text';
  }

  #press(name: string, text: string): void {
    const { dialog, typing } = this.store.get();
    if (dialog !== undefined) return dialog.key({ name, text });
    if (typing !== undefined) return this.#filterKey(name, text, typing);
    const binding = bindingOf(this.bindings, this.place, name === 'text' ? text : name);
    if (binding === undefined) return;
    const { pane } = this.store.get();
    if (pane !== undefined && this.#scroll(pane, binding.action)) return this.changed();
    this.#act(binding);
  }

  #answer({ run }: Question, { name, text }: Key, isRead: boolean): void {
    const confirms = name === 'enter' || text === 'y';
    this.#set({ question: undefined, message: confirms && !isRead ? answeredTooEarly : cancelled });
    if (confirms && isRead) run();
  }

  #filterKey(name: string, text: string, line: Line): void {
    switch (name) {
      case 'escape':
      case 'ctrl-c':
        this.#filtered.setFilter('');
        return this.#set({ typing: undefined });
      case 'enter':
        return this.#set({ typing: undefined, message: this.#listMessage() });
      case 'up':
      case 'down':
        this.#step(name === 'up' ? -1 : 1);
        return this.changed();
      case 'text':
        return this.#typed(insert(line, text, maxFilterLength));
      default: {
        const changed = edited(line, name);
        if (changed !== undefined) this.#typed(changed);
      }
    }
  }

  #typed(line: Line): void {
    this.#filtered.setFilter(line.text.trim());
    this.#set({ typing: line });
  }

  /** What the filter is for: the text above the list, or the list. */
  get #filtered(): Pane | ListModel {
    return this.store.get().pane ?? this.model;
  }

  /** Scrolls the text by lines, or moves the selection of the list. */
  #step(by: number): void {
    const { pane } = this.store.get();
    if (pane === undefined) this.model.move(by);
    else pane.scroll(by);
  }

  #scroll(pane: Pane, action: ActionName): boolean {
    const page = Math.max(1, this.#options.page() - 1);
    const by: Partial<Record<ActionName, number>> = { down: 1, up: -1, pageDown: page, pageUp: -page };
    const lines = by[action];
    if (lines !== undefined) pane.scroll(lines);
    else if (action === 'first') pane.scrollTo(0);
    else if (action === 'last') pane.scrollTo(Number.MAX_SAFE_INTEGER);
    else return false;
    return true;
  }

  #act(binding: Binding): void {
    const { model } = this;
    const page = Math.max(1, this.#options.page() - 1);
    switch (binding.action) {
      case 'down':
        return this.#moved(1);
      case 'up':
        return this.#moved(-1);
      case 'pageDown':
        return this.#moved(page);
      case 'pageUp':
        return this.#moved(-page);
      case 'first':
        return this.#moved(-Infinity);
      case 'last':
        return this.#moved(Infinity);
      case 'filter':
        return this.#set({ typing: lineOf(this.#filtered.filter), message: undefined });
      case 'nextSort':
        model.nextSort();
        return this.#set({ message: this.#listMessage() });
      case 'turnSort':
        model.turnSort();
        return this.#set({ message: this.#listMessage() });
      case 'mark':
        model.toggleMark();
        return this.changed();
      case 'markShown':
        model.markShown();
        return this.changed();
      case 'help':
        if (this.store.get().pane?.kind === 'help') return this.#closeHelp();
        this.#belowHelp = this.store.get().pane;
        return this.#set({
          pane: new Pane({
            kind: 'help',
            title: 'Keys',
            width: this.#options.width(),
            blocks: helpBlocks(this.bindings, this.#targets(false)[0]?.user),
          }),
          message: undefined,
        });
      case 'copyShown':
        return this.#actions.copy(this.store.get().pane?.copy, 'this text');
      case 'back':
        return this.#back();
      case 'quit':
        return this.#options.close();
      default:
        return this.#actions.act(binding, this.#targets(binding.many === true));
    }
  }

  #moved(by: number): void {
    this.model.move(by);
    this.changed();
  }

  #back(): void {
    const { pane } = this.store.get();
    if (pane !== undefined && pane.filter !== '') {
      pane.setFilter('');
      return this.changed();
    }
    if (pane?.kind === 'help') return this.#closeHelp();
    if (pane !== undefined) {
      this.#actions.closeDetails();
      return this.#set({ pane: undefined });
    }
    if (this.model.filter === '') return this.#options.close();
    this.model.setFilter('');
    this.#set({ message: this.#listMessage() });
  }

  /** Closes the keys, and shows again what they covered. */
  #closeHelp(): void {
    this.#set({ pane: this.#belowHelp });
    this.#belowHelp = undefined;
  }

  #targets(many: boolean): readonly FeedContainer[] {
    const user = this.store.get().pane?.user;
    if (user !== undefined) return [this.model.container(user)].filter((container) => container !== undefined);
    if (many) return this.model.targets;
    return this.model.selected === undefined ? [] : [this.model.selected];
  }

  /** Returns the `list` command that shows the same containers in the same order, if there is one. */
  #listMessage(): Message | undefined {
    if (this.store.get().pane !== undefined) return undefined;
    const { sort, descending, filter } = this.model;
    const options = filter === '' ? '' : listOption(filter);
    if (options === undefined || !columnOf(sort).sortsList) return undefined;
    return commandMessage([
      ['list', options, `--sort ${descending ? '-' : ''}${sort}`].filter((word) => word !== '').join(' '),
    ]);
  }

  #set(state: Partial<ViewState>): void {
    this.store.set({ ...this.store.get(), ...state });
  }
}
