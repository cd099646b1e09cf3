/**
 * One person's conversation with the host: lines in, items out. It knows the catalogue and the room, and nothing of
 * screens; whatever shows it implements `Ui`.
 */
import { isVerbName, mayUse, verbNamed, verbsFor, type AnyVerb } from '../../catalogue/catalogue.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { exitCodes, Failure } from '../../domain/failure.ts';
import { frontRestartText, type Notice, type ShellSettings } from '../../domain/events/notice.ts';
import { printable, quoted } from '../../domain/text.ts';
import type { CoreClient } from '../../protocol/client.ts';
import type { ShellClient } from '../../protocol/shellClient.ts';
import type { Completion } from '../composer/completion.ts';
import { complete } from '../composer/completion.ts';
import { LiveCalls } from './liveCalls.ts';
import { runBuiltin } from './builtinRun.ts';
import { builtinOf, builtins } from './builtins.ts';
import type { Entrance } from './entrance.ts';
import { listRequest } from './listRequest.ts';
import { describeLoss } from './loss.ts';
import { callVerb, type CallEnd, type VerbCall } from './verbCall.ts';
import { understand, type UnderstoodVerb } from './understand.ts';
import { targetOf } from '../../catalogue/declaration/verb.ts';
import type { HandedOverTerminal } from '../../domain/terminal.ts';
import type { Ui } from './ui.ts';
import type { Presence } from '../../domain/results/room.ts';

export interface ShellModelOptions {
  readonly actor: Actor;
  readonly core: CoreClient;
  readonly shells: ShellClient;
  readonly ui: Ui;
  readonly entrance: Entrance;
  /** What is typed before a verb outside the shell: `ssh -p 2222 manage@jump`. */
  readonly prefix: string;
  readonly reachedAt: string;
  /** Ends the session. */
  readonly leave: () => void;
}

/** Changes of the live list, for whoever shows it. */
type FeedListener = (feed: Extract<Notice, { type: 'containers' }>['feed']) => void;

export class ShellModel {
  readonly shell: string;
  readonly liveCalls = new LiveCalls();
  readonly verbs: readonly AnyVerb[];
  readonly options: ShellModelOptions;
  settings: ShellSettings = { plain: false };
  present: readonly Presence[] = [];
  /** There are too many here to be told of each: `present` is empty. */
  crowded = false;
  feedListener: FeedListener | undefined;
  /** Hands over the terminal while something else than `ui` draws on it. */
  terminalOwner: (() => Promise<HandedOverTerminal>) | undefined;
  /** Shows a sentence on what is drawn above `ui`. */
  viewTeller: ((text: string) => void) | undefined;
  readonly #over = new AbortController();
  /** The last text that was made for copying. */
  clip: string | undefined;
  #lastCandidates:
    { readonly key: string; readonly atMs: number; readonly answer: ReturnType<ShellClient['candidates']> } | undefined;

  constructor(options: ShellModelOptions) {
    this.options = options;
    this.shell = options.entrance.shell;
    this.verbs = verbsFor(options.actor.entryPoint, options.actor.role);
  }

  /**
   * Tells what is going on in the room, and from then on what happens there. Returns the lines this person typed
   * before.
   */
  begin(): readonly string[] {
    const { entrance, ui } = this.options;
    const { welcome } = entrance;
    this.settings = welcome.settings;
    this.present = welcome.present;
    this.crowded = welcome.crowded;
    if (welcome.restarted !== null) ui.print({ kind: 'note', text: frontRestartText(welcome.restarted) });
    for (const call of welcome.running) this.liveCalls.beginOther(call, performance.now());
    for (const call of welcome.ended) ui.print({ kind: 'ended', call, meanwhile: true });
    entrance.listen((notice) => this.#notice(notice));
    ui.changed();
    return welcome.lines;
  }

  /** Aborted when the conversation ends, whoever ends it. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  end(): void {
    this.#over.abort();
    // What changes something goes on by itself; reading ends with whoever reads.
    for (const { stop } of this.liveCalls.all) stop?.();
    this.options.entrance.leave();
  }

  /** Runs a line; resolves with its exit code when it has ended, and never rejects. */
  async run(typed: string): Promise<number> {
    const { ui, actor, shells } = this.options;
    const line = typed.trim().replace(/^\/\s*/, '');
    if (line === '') return exitCodes.ok;
    shells.typed(actor, line.slice(0, 4096));
    const builtin = builtinOf(line);
    if (builtin?.name !== 'clear') ui.print({ kind: 'command', line: hideKeys(line) });
    try {
      if (builtin === undefined) return await this.#callVerb(line);
      await runBuiltin(builtin.name, builtin.words, this);
      return exitCodes.ok;
    } catch (error) {
      const failure = Failure.from(error);
      ui.print({ kind: 'failure', failure: failure.toData() });
      return failure.exitCode;
    } finally {
      ui.changed();
    }
  }

  /** Ctrl-C where there is nothing to clear: ends what can be ended. Whether there was something. */
  interrupt(): boolean {
    const liveCall = this.liveCalls.stoppable;
    liveCall?.stop?.();
    return liveCall !== undefined;
  }

  complete(text: string, cursor: number): Promise<Completion> {
    const { actor } = this.options;
    return complete(text, cursor, {
      verbs: this.verbs,
      builtins,
      entryPoint: actor.entryPoint,
      ask: (what, user) => this.#ask(what, user),
    });
  }

  /** Runs a verb with an input that is complete: a key of the live list was pressed. Never rejects. */
  runDirectly(verb: AnyVerb, input: Readonly<Record<string, unknown>>, line: string): Promise<CallEnd> {
    this.options.ui.print({ kind: 'command', line });
    return callVerb({ verb, input, format: 'table', line }, this);
  }

  /** At self@: one's own container, its keys and the way to it. */
  async showCard(): Promise<void> {
    for (const user of this.options.actor.owns ?? []) {
      for (const verb of this.verbs.filter(({ onSelfCard }) => onSelfCard === true))
        await this.#call({ verb, input: { user }, format: 'table', line: verb.name });
    }
    const copying = this.options.ui.plain
      ? ''
      : 'copy puts the configuration on your clipboard, qr shows it as a code.\n';
    this.note(`${copying}restart, keys add and keys remove change things.`);
  }

  handOver(): Promise<HandedOverTerminal> {
    return this.terminalOwner?.() ?? this.options.ui.handOver();
  }

  /** Remembers what can be copied. */
  offerForCopying(text: string): void {
    this.clip = text;
  }

  /**
   * Whether something of this person's own runs. A program that has the terminal shows by itself whether it is used.
   */
  get busy(): boolean {
    return this.liveCalls.all.some(
      ({ own, verb }) => own && !(isVerbName(verb) && verbNamed(verb).handsOverTerminal === true),
    );
  }

  /** A sentence that has to be read now, whatever is shown. */
  warn(text: string): void {
    this.note(text);
    this.viewTeller?.(text);
  }

  /** A sentence in between. */
  note(text: string): void {
    this.options.ui.print({ kind: 'note', text });
  }

  async #callVerb(line: string): Promise<number> {
    const { ui, actor } = this.options;
    const understood = understand(line, actor);
    if (understood.kind === 'help') {
      ui.print({ kind: 'blocks', blocks: understood.blocks(this.options.prefix) });
      return exitCodes.ok;
    }
    const { verb, format } = understood;
    if (verb.viewSwitch !== undefined && understood.input[verb.viewSwitch] === true) {
      await ui.view(listRequest(understood.input));
      return exitCodes.ok;
    }
    // Core refuses what is not allowed, and records it; there is nothing to ask for before.
    const input = mayUse(verb, actor.entryPoint, actor.role) ? await this.#complete(understood) : understood.input;
    if (input !== undefined) return this.#call({ verb, input, format, line });
    this.note('Given up; nothing was changed.');
    return exitCodes.cancelled;
  }

  /** Asks for what is missing and for what has to be confirmed; nothing where that was given up. */
  async #complete({ verb, input, incomplete }: UnderstoodVerb): Promise<Readonly<Record<string, unknown>> | undefined> {
    const full = incomplete ? await this.options.ui.form({ verb, given: input }) : input;
    if (full === undefined || verb.danger !== 'type-name' || full['yes'] === true) return full;
    return (await this.#confirmed(verb, full)) ? { ...full, confirm: targetOf(verb, full) } : undefined;
  }

  async #call(run: VerbCall): Promise<number> {
    return (await callVerb(run, this)).exitCode;
  }

  /** Asks for the name, after saying what will be lost. */
  async #confirmed(verb: AnyVerb, input: Readonly<Record<string, unknown>>): Promise<boolean> {
    const { core, actor, ui } = this.options;
    const user = targetOf(verb, input) ?? '';
    const answer = await core.call(
      { actor, verb: 'info', input: { user } },
      () => undefined,
      new AbortController().signal,
    );
    return ui.confirm({
      title: `${verb.summary}: ${quoted(user)}. This cannot be undone.`,
      facts: describeLoss(answer.result),
      word: user,
    });
  }

  /** Values for completion; the same question is not asked again while a word is typed. */
  #ask(
    what: Parameters<ShellClient['candidates']>[1],
    user: string | undefined,
  ): ReturnType<ShellClient['candidates']> {
    const key = `${what} ${user ?? ''}`;
    const last = this.#lastCandidates;
    if (last?.key === key && performance.now() - last.atMs < 3000) return last.answer;
    const answer = this.options.shells
      .candidates(this.options.actor, what, user, AbortSignal.timeout(5000))
      .catch(() => []);
    this.#lastCandidates = { key, atMs: performance.now(), answer };
    return answer;
  }

  #notice(notice: Notice): void {
    const { ui, actor } = this.options;
    switch (notice.type) {
      case 'containers':
        this.feedListener?.(notice.feed);
        return;
      case 'begun':
        this.liveCalls.beginOther(notice.call, performance.now());
        break;
      case 'step':
        this.liveCalls.step(notice.id, notice.step);
        break;
      case 'ended':
        this.liveCalls.end(notice.id);
        ui.print({ kind: 'ended', call: notice.call, meanwhile: false });
        break;
      case 'said':
        ui.print({ kind: 'said', name: notice.name, text: notice.text });
        break;
      case 'crowd':
        this.present = notice.present;
        this.crowded = notice.crowded;
        break;
      case 'entered':
        this.present = [...this.present, notice.who];
        if (actor.entryPoint !== 'self')
          ui.print({
            kind: 'note',
            text: `${printable(notice.who.name)} is here${notice.who.entryPoint === 'self' ? ' (self@)' : ''}`,
          });
        break;
      case 'left':
        this.present = this.present.filter(({ shell }) => shell !== notice.who.shell);
        if (actor.entryPoint !== 'self') ui.print({ kind: 'note', text: `${printable(notice.who.name)} left` });
        break;
    }
    ui.changed();
  }
}

/** A key in a command line is 400 characters that nobody reads. */
function hideKeys(line: string): string {
  return line.replace(
    /(?<=(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+\s+)[A-Za-z0-9+/=]{40,}/g,
    (blob) => `${blob.slice(0, 12)}…${blob.slice(-8)}`,
  );
}
