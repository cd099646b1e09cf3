/** What the keys of the live list do that have a command behind them. */
import type { AnyVerb } from '../../../catalogue/catalogue.ts';
import type { Block } from '../../../catalogue/declaration/view.ts';
import type { FeedContainer } from '../../../domain/events/notice.ts';
import { FormDialog } from '../../forms/form.ts';
import { ConfirmDialog } from '../../screen/dialog.ts';
import { clipboardSequence } from '../../model/clip.ts';
import type { ShellModel } from '../../model/shellModel.ts';
import { describeLoss } from '../../model/loss.ts';
import type { Confirmation } from '../../model/ui.ts';
import type { Binding } from '../model/bindings.ts';
import { commandLine } from '../model/command.ts';
import { Details } from './details.ts';
import { Pane } from './pane.ts';
import { changedFields, deletionOfSeveral, sizeForm } from './questions.ts';
import { commandMessage, failureMessage, linesOf, outcome, runAll, type Message } from './runs.ts';
import { accessOf, sshCommand } from '../model/sshCommand.ts';
import type { ViewState } from './state.ts';

export interface ActionsHost {
  readonly shellModel: Pick<ShellModel, 'options' | 'runDirectly'>;
  readonly state: () => ViewState;
  readonly set: (state: Partial<ViewState>) => void;
  /** Cells of a line. */
  readonly width: () => number;
}

/** Lines of a console log: the end is what is looked for, and all of it goes into the conversation too. */
const logLines = 200;
/** An answer that takes longer is given up, in milliseconds. */
const patienceMs = 10_000;

export class Actions {
  readonly #host: ActionsHost;
  /** What is open about one container. */
  details: Details | undefined;
  /** What has not ended, commands as they read: its key pressed again does not begin it again. */
  readonly #atWork = new Set<string>();

  constructor(host: ActionsHost) {
    this.#host = host;
  }

  closeDetails(): void {
    this.details?.end();
    this.details = undefined;
  }

  /** What a key does that has a command behind it. */
  act({ action, verb }: Binding, containers: readonly FeedContainer[]): void {
    const [first] = containers;
    if (verb === undefined || first === undefined)
      return this.#say({ tone: 'quiet', text: 'There is no container selected' });
    switch (action) {
      case 'details':
        return this.#openDetails(verb, first);
      case 'look':
        return void this.#once([`${verb.name} ${first.user}`], () => this.#look(verb, first));
      case 'copy':
        return void this.#once([`copy ${first.user}`], () => this.#copyCommand(verb, first));
      case 'resize':
        return this.#resize(verb, containers);
      case 'delete':
        return void this.#once(['delete'], () => this.#delete(verb, containers));
      default:
        return void this.#run(
          verb,
          containers.map(({ user }) => ({ user })),
        );
    }
  }

  async #run(verb: AnyVerb, wanted: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    const inputs = wanted.filter((input) => !this.#atWork.has(commandLine(verb, input)));
    const lines = linesOf({ verb, inputs });
    if (lines.length === 0) {
      this.#say({ tone: 'quiet', text: `${linesOf({ verb, inputs: wanted }).join(', ')}: at work already` });
      return;
    }
    const startedMs = performance.now();
    this.#command(lines);
    await this.#once(lines, async () => {
      const ends = await runAll({ verb, inputs }, (...run) => this.#host.shellModel.runDirectly(...run));
      this.#say(outcome(lines, ends, performance.now() - startedMs));
    });
  }

  /** Does `work`, called `names`, unless one of them is at work. */
  async #once(names: readonly string[], work: () => Promise<void>): Promise<void> {
    if (names.some((name) => this.#atWork.has(name))) return;
    for (const name of names) this.#atWork.add(name);
    try {
      await work();
    } finally {
      for (const name of names) this.#atWork.delete(name);
    }
  }

  #openDetails(verb: AnyVerb, { user, name }: FeedContainer): void {
    const { actor, core } = this.#host.shellModel.options;
    const pane = new Pane({
      kind: 'details',
      title: name,
      user,
      width: this.#host.width(),
      blocks: [{ kind: 'text', tone: 'quiet', text: 'Looking…' }],
    });
    this.closeDetails();
    this.details = new Details({
      user,
      verb,
      actor,
      core,
      show: (blocks) => {
        pane.replace(blocks);
        this.#set({});
      },
    });
    this.#set({ pane, message: commandMessage([commandLine(verb, { user })]) });
  }

  /** An answer that is read: opened on top of the list, and kept in the conversation. */
  async #look(verb: AnyVerb, { user, name }: FeedContainer): Promise<void> {
    const isLog = verb.name === 'logs';
    const input = { user, ...(isLog ? { lines: logLines } : {}) };
    const line = commandLine(verb, input);
    this.#command([line]);
    const end = await this.#host.shellModel.runDirectly(verb, input, line);
    if (end.kind !== 'done') {
      this.#say(outcome([line], [end], 0));
      return;
    }
    // Whoever has gone on to something else meanwhile is not interrupted.
    if (this.#host.state().dialog !== undefined || isText(this.#host.state())) return;
    this.closeDetails();
    this.#set({
      pane: new Pane({
        kind: 'text',
        title: `${name}: ${verb.name}`,
        user,
        width: this.#host.width(),
        blocks: end.blocks,
        fromEnd: isLog,
        ...copyOf(end.blocks),
      }),
    });
  }

  async #copyCommand(verb: AnyVerb, { user }: FeedContainer): Promise<void> {
    const { actor, core, reachedAt } = this.#host.shellModel.options;
    try {
      const { result } = await core.call(
        { actor, verb: verb.name, input: { user }, reachedAt },
        () => undefined,
        AbortSignal.timeout(patienceMs),
      );
      const command = sshCommand(accessOf(result));
      this.copy(command, command);
    } catch (error) {
      this.#say(failureMessage(error));
    }
  }

  /** Puts a text on the clipboard of the client's machine; `said`: how the footer calls it. */
  copy(text: string | undefined, said: string): void {
    if (text === undefined) return;
    const sequence = clipboardSequence(text);
    if (sequence === undefined) return this.#say({ tone: 'bad', text: 'It is too long for a clipboard' });
    this.#host.shellModel.options.ui.copy(sequence);
    this.#say({ tone: 'good', text: `Sent to your clipboard (OSC 52): ${said}` });
  }

  #resize(verb: AnyVerb, containers: readonly FeedContainer[]): void {
    const { verb: asked, given } = sizeForm(verb, containers);
    const done = (filled: Readonly<Record<string, unknown>> | undefined): void => {
      this.#set({ dialog: undefined });
      const wanted = filled === undefined ? {} : changedFields(given, filled);
      if (Object.keys(wanted).length === 0) return this.#say({ tone: 'quiet', text: 'Nothing was changed' });
      void this.#run(
        verb,
        containers.map(({ user }) => ({ user, ...wanted })),
      );
    };
    const { entryPoint } = this.#host.shellModel.options.actor;
    this.#command(containers.map(({ user }) => commandLine(verb, { user })));
    this.#set({ dialog: new FormDialog({ verb: asked, entryPoint, given, changed: () => this.#set({}), done }) });
  }

  async #delete(verb: AnyVerb, containers: readonly FeedContainer[]): Promise<void> {
    this.#command(containers.map(({ user }) => commandLine(verb, { user })));
    try {
      const [only] = containers;
      const confirmation =
        containers.length === 1 && only !== undefined
          ? await this.#deletionOf(verb, only.user)
          : deletionOfSeveral(containers);
      if (this.#host.state().dialog !== undefined) return;
      const done = (confirmed: boolean): void => {
        this.#set({ dialog: undefined });
        if (!confirmed) return this.#say({ tone: 'quiet', text: 'Cancelled; nothing was changed' });
        void this.#run(
          verb,
          containers.map(({ user }) => ({ user, confirm: user })),
        );
      };
      this.#set({ dialog: new ConfirmDialog(confirmation, () => this.#set({}), done) });
    } catch (error) {
      this.#say(failureMessage(error));
    }
  }

  async #deletionOf(verb: AnyVerb, user: string): Promise<Confirmation> {
    const { actor, core } = this.#host.shellModel.options;
    const { result } = await core.call(
      { actor, verb: 'info', input: { user } },
      () => undefined,
      AbortSignal.timeout(patienceMs),
    );
    return { title: `${verb.summary}: "${user}". This cannot be undone.`, facts: describeLoss(result), word: user };
  }

  #command(lines: readonly string[]): void {
    this.#say(commandMessage(lines));
  }

  #say(message: Message): void {
    this.#set({ message });
  }

  #set(state: Partial<ViewState>): void {
    this.#host.set(state);
  }
}

function isText({ pane }: ViewState): boolean {
  return pane !== undefined && pane.kind !== 'details';
}

function copyOf(blocks: readonly Block[]): { copy?: string } {
  const texts = blocks.flatMap((block) => (block.kind === 'verbatim' ? [block.text] : []));
  return texts.length === 0 ? {} : { copy: texts.join('\n') };
}
