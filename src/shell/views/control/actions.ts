/** The keys of the live list that run verbs. */
import type { AnyVerb } from '../../../catalogue/catalogue.ts';
import { containerFacts } from '../../../catalogue/atStake.ts';
import { warningOf } from '../../../catalogue/declaration/verb.ts';
import type { Block } from '../../../catalogue/declaration/view.ts';
import type { FeedContainer } from '../../../domain/events/notice.ts';
import { planOf } from '../../../catalogue/plan.ts';
import { failureSentences } from '../../../catalogue/output/sentences.ts';
import { FormDialog } from '../../forms/formDialog.ts';
import { ConfirmDialog } from '../../screen/confirmDialog.ts';
import { clipboardSequence } from '../../model/clipboard.ts';
import type { ShellModel } from '../../model/shellModel.ts';
import type { Confirmation } from '../../model/ui.ts';
import type { Binding } from '../model/bindings.ts';
import { commandOf } from '../../../catalogue/commandOf.ts';
import { Details } from './details.ts';
import { Pane } from './pane.ts';
import { changedFields, changeOfSeveral, deletionOfSeveral, sizeForm } from './dialogs.ts';
import { commandLines, runBatch } from './batch.ts';
import { cancelled, commandMessage, failureMessage, outcomeMessage, type Message } from './messages.ts';
import { accessOf, sshCommand } from '../model/sshCommand.ts';
import type { ViewState } from './viewState.ts';

export interface ActionsHost {
  readonly shell: Pick<ShellModel, 'options' | 'runDirectly'>;
  readonly state: () => ViewState;
  readonly set: (state: Partial<ViewState>) => void;
  /** Returns the width of a line, in cells. */
  readonly width: () => number;
}

/** Lines of a console log to show. They go into the transcript too. */
const logLines = 200;
/** How long to wait for an answer, in milliseconds. */
const answerTimeoutMs = 10_000;

export class Actions {
  readonly #host: ActionsHost;
  /** The open details of a container. */
  details: Details | undefined;
  /** Command lines that have not ended. Pressing their key again does not run them again. */
  readonly #running = new Set<string>();

  constructor(host: ActionsHost) {
    this.#host = host;
  }

  closeDetails(): void {
    this.details?.end();
    this.details = undefined;
  }

  /** Handles a key that runs a verb. */
  act({ action, verb }: Binding, containers: readonly FeedContainer[]): void {
    const [first] = containers;
    if (verb === undefined || first === undefined)
      return this.#show({ tone: 'quiet', text: 'No container is selected' });
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
      default: {
        const inputs = containers.map(({ user }) => ({ user }));
        // A shell asks nothing: it shows itself, and its end undoes it.
        if (verb.changes && verb.handsOverTerminal !== true) return this.#askToRun(verb, inputs, containers);
        return void this.#run(verb, inputs);
      }
    }
  }

  /** Asks before a change: a letter may be one of a word that was meant for another window. */
  #askToRun(
    verb: AnyVerb,
    inputs: readonly Readonly<Record<string, unknown>>[],
    containers: readonly FeedContainer[],
  ): void {
    if (containers.length > 1) {
      const done = (confirmed: boolean): void => {
        this.#set({ dialog: undefined });
        if (confirmed) void this.#run(verb, inputs);
        else this.#show(cancelled);
      };
      this.#set({ dialog: new ConfirmDialog(changeOfSeveral(verb, containers), () => this.#set({}), done) });
      return;
    }
    const lines = commandLines({ verb, inputs });
    this.#set({
      question: {
        text: `${lines.join(', ')}?`,
        run: () => void this.#run(verb, inputs),
      },
    });
  }

  async #run(verb: AnyVerb, wanted: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    const inputs = wanted.filter((input) => !this.#running.has(commandOf(verb, input)));
    const lines = commandLines({ verb, inputs });
    if (lines.length === 0) {
      this.#show({ tone: 'quiet', text: `${commandLines({ verb, inputs: wanted }).join(', ')}: already running` });
      return;
    }
    const startedMs = performance.now();
    this.#showCommands(lines);
    await this.#once(lines, async () => {
      const ends = await runBatch({ verb, inputs }, (...run) => this.#host.shell.runDirectly(...run));
      this.#show(outcomeMessage(lines, ends, performance.now() - startedMs));
    });
  }

  /** Does `work` under `names`, unless work under one of these names is running. */
  async #once(names: readonly string[], work: () => Promise<void>): Promise<void> {
    if (names.some((name) => this.#running.has(name))) return;
    for (const name of names) this.#running.add(name);
    try {
      await work();
    } finally {
      for (const name of names) this.#running.delete(name);
    }
  }

  #openDetails(verb: AnyVerb, { user, name }: FeedContainer): void {
    const { actor, core } = this.#host.shell.options;
    const pane = new Pane({
      kind: 'details',
      title: name,
      user,
      width: this.#host.width(),
      blocks: [{ kind: 'text', tone: 'quiet', text: 'Loading…' }],
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
    this.#set({ pane, message: commandMessage([commandOf(verb, { user })]) });
  }

  /** Shows an answer in a pane; it goes into the transcript too. */
  async #look(verb: AnyVerb, { user, name }: FeedContainer): Promise<void> {
    const isLog = verb.name === 'logs';
    const input = { user, ...(isLog ? { lines: logLines } : {}) };
    const line = commandOf(verb, input);
    this.#showCommands([line]);
    const end = await this.#host.shell.runDirectly(verb, input, line);
    if (end.kind !== 'done') {
      this.#show(outcomeMessage([line], [end], 0));
      return;
    }
    // The user may have opened a dialog or another text meanwhile.
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
    const { actor, core, reachedAt } = this.#host.shell.options;
    try {
      const { result } = await core.call(
        { actor, verb: verb.name, input: { user }, reachedAt },
        () => undefined,
        AbortSignal.timeout(answerTimeoutMs),
      );
      const command = sshCommand(accessOf(result));
      this.copy(command, command);
    } catch (error) {
      this.#show(failureMessage(error));
    }
  }

  /** Copies a text to the client's clipboard. The footer calls it `name`. */
  copy(text: string | undefined, name: string): void {
    if (text === undefined) return;
    const sequence = clipboardSequence(text);
    if (sequence === undefined) return this.#show({ tone: 'bad', text: 'Too long for the clipboard' });
    this.#host.shell.options.ui.copy(sequence);
    this.#show({ tone: 'good', text: `Sent to your clipboard (OSC 52): ${name}` });
  }

  #resize(verb: AnyVerb, containers: readonly FeedContainer[]): void {
    const { verb: asked, given } = sizeForm(verb, containers);
    const done = (filled: Readonly<Record<string, unknown>> | undefined): void => {
      this.#set({ dialog: undefined });
      const wanted = filled === undefined ? {} : changedFields(given, filled);
      if (Object.keys(wanted).length === 0) return this.#show({ tone: 'quiet', text: 'Nothing was changed.' });
      void this.#run(
        verb,
        containers.map(({ user }) => ({ user, ...wanted })),
      );
    };
    const { entryPoint } = this.#host.shell.options.actor;
    this.#showCommands(containers.map(({ user }) => commandOf(verb, { user })));
    const plan = async (filled: Readonly<Record<string, unknown>>): Promise<void> => {
      const wanted = changedFields(given, filled);
      if (Object.keys(wanted).length > 0) await this.#showPlans(verb, containers, wanted);
    };
    this.#set({ dialog: new FormDialog({ verb: asked, entryPoint, given, plan, changed: () => this.#set({}), done }) });
  }

  /** Shows the plans of a verb for several containers in a pane, under the form that asks for them. */
  async #showPlans(
    verb: AnyVerb,
    containers: readonly FeedContainer[],
    wanted: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const blocks: Block[] = [];
    for (const { user } of containers) {
      const input = { user, ...wanted };
      const end = await this.#host.shell.runDirectly(planOf(verb), input, `${commandOf(verb, input)} --plan`);
      if (end.kind === 'done') blocks.push(...end.blocks);
      else if (end.kind === 'failed')
        blocks.push({ kind: 'text', tone: 'bad', text: failureSentences(end.failure.toData()) });
    }
    // Without its form, the plan is in the transcript alone: the user has gone on to something else.
    if (this.#host.state().dialog?.kind !== 'form') return;
    this.closeDetails();
    this.#set({ pane: new Pane({ kind: 'text', title: `Plan: ${verb.name}`, width: this.#host.width(), blocks }) });
  }

  async #delete(verb: AnyVerb, containers: readonly FeedContainer[]): Promise<void> {
    this.#showCommands(containers.map(({ user }) => commandOf(verb, { user })));
    try {
      const [only] = containers;
      const confirmation =
        containers.length === 1 && only !== undefined
          ? await this.#deletionOf(verb, only.user)
          : deletionOfSeveral(containers);
      if (this.#host.state().dialog !== undefined) return;
      const done = (confirmed: boolean): void => {
        this.#set({ dialog: undefined });
        if (!confirmed) return this.#show(cancelled);
        void this.#run(
          verb,
          containers.map(({ user }) => ({ user, confirm: user })),
        );
      };
      this.#set({ dialog: new ConfirmDialog(confirmation, () => this.#set({}), done) });
    } catch (error) {
      this.#show(failureMessage(error));
    }
  }

  async #deletionOf(verb: AnyVerb, user: string): Promise<Confirmation> {
    const { actor, core } = this.#host.shell.options;
    const { result } = await core.call(
      { actor, verb: 'info', input: { user } },
      () => undefined,
      AbortSignal.timeout(answerTimeoutMs),
    );
    return {
      title: `${verb.summary}: "${user}". ${warningOf(verb, { user })}`,
      facts: containerFacts(result, true),
      word: user,
    };
  }

  #showCommands(lines: readonly string[]): void {
    this.#show(commandMessage(lines));
  }

  #show(message: Message): void {
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
