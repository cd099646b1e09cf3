/**
 * The logic of one shell: lines in, items out. It knows the catalogue and the room but no screen; its display
 * implements `Ui`.
 */
import { builtinOf, builtins } from '../../catalogue/builtins.ts';
import { isVerbName, mayUse, verbNamed, verbsFor, type AnyVerb } from '../../catalogue/catalogue.ts';
import { actorTitle, type Actor } from '../../domain/access/actor.ts';
import { exitCodes, Failure } from '../../domain/failure.ts';
import { frontRestartText, type Notice, type ShellSettings } from '../../domain/events/notice.ts';
import { plural, printable } from '../../domain/text.ts';
import type { CoreClient } from '../../protocol/client.ts';
import type { ShellClient } from '../../protocol/shellClient.ts';
import type { Completion } from '../../catalogue/completion.ts';
import { complete } from '../../catalogue/completion.ts';
import { hideKeys } from './hideKeys.ts';
import { InputQuestions } from './inputQuestions.ts';
import { LiveCalls } from './liveCalls.ts';
import { Lines } from './lines.ts';
import { runBuiltin } from './runBuiltin.ts';
import type { RoomMembership } from './roomMembership.ts';
import { listRequest } from './listRequest.ts';
import { callVerb, type CallEnd, type VerbCall } from './verbCall.ts';
import { isWorthKeeping } from '../composer/history.ts';
import { maxLineLength } from '../composer/line.ts';
import { lineTooLong, parseLine, type ParsedVerb } from './parseLine.ts';
import { refuseFiles } from '../../catalogue/declaration/verb.ts';
import type { HandedOverTerminal } from '../../domain/terminal.ts';
import type { Ui } from './ui.ts';
import type { TerminalPort } from '../terminal/port.ts';
import type { Presence } from '../../domain/results/room.ts';

export interface ShellModelOptions {
  readonly actor: Actor;
  readonly core: CoreClient;
  readonly shells: ShellClient;
  readonly ui: Ui;
  readonly membership: RoomMembership;
  readonly reachedAt: string;
  /** Ends the shell with an exit code. */
  readonly leave: (code: number) => void;
  /** Whether no more input will come, so that nobody can answer. */
  readonly hasInputEnded: () => boolean;
  /** Turns screen-reader mode on or off at once. Resolves to false if the terminal allows no other mode. */
  readonly setPlain: (plain: boolean) => Promise<boolean>;
  /** The client's share of the event loop, in which its pasted lines run. */
  readonly share: Pick<TerminalPort, 'spend' | 'later'>;
}

/** Nobody types a line so soon after another one, in milliseconds. */
const typedAheadMs = 30;

/** Receives changes of the containers while a live list is open. */
type FeedListener = (feed: Extract<Notice, { type: 'containers' }>['feed']) => void;

export class ShellModel {
  readonly shellId: string;
  readonly liveCalls = new LiveCalls();
  readonly verbs: readonly AnyVerb[];
  readonly options: ShellModelOptions;
  settings: ShellSettings = { plain: false };
  present: readonly Presence[] = [];
  /** True if too many shells are open to list them; `present` is then empty. */
  crowded = false;
  feedListener: FeedListener | undefined;
  /** Hands the terminal over while the live list, not `ui`, draws on it. */
  terminalOwner: (() => Promise<HandedOverTerminal>) | undefined;
  /** Shows a warning in the live list while it covers `ui`. */
  warnInView: ((text: string) => void) | undefined;
  readonly #over = new AbortController();
  readonly #lines = new Lines(
    (line) => this.#run(line),
    () => new Promise((resolve) => this.options.share.later(resolve)),
  );
  #isLeaving = false;
  #submittedMs = -Infinity;
  /** The last configuration or key that was shown. */
  textToCopy: string | undefined;
  #lastCandidates:
    { readonly key: string; readonly atMs: number; readonly answer: ReturnType<ShellClient['candidates']> } | undefined;

  constructor(options: ShellModelOptions) {
    this.options = options;
    this.shellId = options.membership.shellId;
    this.verbs = verbsFor(options.actor.entryPoint, options.actor.role);
  }

  /** Shows the calls that run and who is here, and follows the room. Returns the lines that the user typed earlier. */
  begin(): readonly string[] {
    const { membership, ui } = this.options;
    const { welcome } = membership;
    this.settings = welcome.settings;
    this.present = welcome.present;
    this.crowded = welcome.crowded;
    if (welcome.restarted !== null) ui.print({ kind: 'note', text: frontRestartText(welcome.restarted) });
    for (const text of welcome.notes) ui.print({ kind: 'note', text });
    for (const call of welcome.running) this.liveCalls.addOther(call, performance.now());
    for (const call of welcome.ended) ui.print({ kind: 'ended', call, meanwhile: true });
    membership.listen((notice) => this.#notice(notice));
    ui.changed();
    return welcome.lines;
  }

  /** Aborted when the shell ends. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  end(): void {
    this.#over.abort();
    this.#lines.drop();
    // Calls that read stop, and programs in containers end; operations continue without the shell.
    for (const { ctrlC, hangUp } of this.liveCalls.all) {
      if (ctrlC?.does === 'stop') ctrlC.act();
      hangUp?.();
    }
    this.options.membership.leave();
  }

  /** Runs a line at once and resolves with its exit code. Never rejects. */
  async run(typed: string): Promise<number> {
    if (this.#isLeaving && builtinOf(typed)?.name !== 'exit') return this.#refuseLate([typed]);
    return this.#lines.run(typed);
  }

  /**
   * Runs a line that was submitted: at once, beside what runs already. But one that was typed ahead of the answer to
   * the one before, as in a script on standard input, waits for that. `typedAtMs` is when it arrived.
   */
  submit(typed: string, typedAtMs: number): void {
    const isAhead = typedAtMs < this.#submittedMs + typedAheadMs;
    if (isAhead && !this.#isLeaving) this.#lines.runNext(typed);
    else void this.run(typed);
    this.#submittedMs = performance.now();
  }

  /** Runs lines one after the other, after those of an earlier call. */
  runInOrder(lines: readonly string[]): void {
    if (this.#isLeaving) this.#refuseLate(lines);
    else this.#lines.runInOrder(lines);
  }

  /** Whether a line runs or waits, one that asks something included. */
  get isWorking(): boolean {
    return this.#lines.areWorking;
  }

  /** Ends the shell with the exit code of the last line, when all lines have ended; at once if asked a second time. */
  leave(): void {
    if (this.#isLeaving) {
      // The end of the input comes after the `exit` in it, and stands for nobody's wish to wait no longer.
      if (!this.options.hasInputEnded()) this.leaveAtOnce();
      return;
    }
    this.#isLeaving = true;
    this.liveCalls.forgetCancels();
    // The line that asks for it still runs.
    setImmediate(() => {
      if (this.#lines.areWorking && !this.options.hasInputEnded())
        this.note('Leaving when everything has ended. "exit" or Ctrl-C again leaves at once; changes continue.');
    });
    void this.#lines.ended().then(() => this.options.leave(this.#lines.exitCode));
  }

  /** Ends the shell while changes continue. */
  leaveAtOnce(): void {
    const continues = this.liveCalls.all.some(
      ({ own, ctrlC, hangUp }) => own && ctrlC?.does !== 'stop' && hangUp === undefined,
    );
    this.options.leave(continues ? exitCodes.partial : this.#lines.exitCode);
  }

  #run(typed: string): Promise<number | undefined> {
    const beganMs = performance.now();
    const ended = this.#begin(typed);
    this.options.share.spend(performance.now() - beganMs);
    return ended;
  }

  async #begin(typed: string): Promise<number | undefined> {
    const { ui, actor, shells } = this.options;
    const line = typed.trim().replace(/^\/\s*/, '');
    if (line === '') return undefined;
    // A line that comes with the request for the shell was not typed into the composer.
    if (line.length > maxLineLength) return this.#refuse(lineTooLong);
    const builtin = builtinOf(line);
    if (isWorthKeeping(line)) shells.typed(actor, line);
    if (builtin?.name !== 'clear') ui.print({ kind: 'command', line: hideKeys(line) });
    try {
      if (builtin === undefined) return await this.#callVerb(line);
      if (builtin.name === 'exit') {
        this.#lines.drop();
        this.leave();
        return undefined;
      }
      await runBuiltin(builtin.name, builtin.words, this);
      return exitCodes.ok;
    } catch (error) {
      return this.#refuse(Failure.from(error));
    } finally {
      ui.changed();
    }
  }

  #refuseLate(lines: readonly string[]): number {
    for (const line of lines) this.note(`Not run, because this shell ends: ${printable(hideKeys(line.trim()))}`);
    return this.#lines.exitCode;
  }

  #refuse(failure: Failure): number {
    this.options.ui.print({ kind: 'failure', failure: failure.toData() });
    return failure.exitCode;
  }

  /**
   * Does what Ctrl-C does to the newest call, and drops the lines that wait; leaves, if the shell is waiting for that.
   * Returns false if there is nothing of these.
   */
  interrupt(): boolean {
    if (this.#isLeaving) {
      this.leaveAtOnce();
      return true;
    }
    const dropped = this.#lines.drop();
    if (dropped > 0) this.note(`${plural(dropped, 'waiting line')} not run.`);
    return this.liveCalls.interrupt() || dropped > 0;
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

  /** Calls a verb with complete input, for a key of the live list. Never rejects. */
  runDirectly(verb: AnyVerb, input: Readonly<Record<string, unknown>>, line: string): Promise<CallEnd> {
    this.options.ui.print({ kind: 'command', line });
    return callVerb({ verb, input, format: 'table', line }, this, this.terminalOwner);
  }

  /** Shows the owner's containers, their keys and how to reach them (self@). */
  async showCard(): Promise<void> {
    for (const user of this.options.actor.owns ?? []) {
      for (const verb of this.verbs.filter(({ onSelfCard }) => onSelfCard === true))
        await this.#call({ verb, input: { user }, format: 'table', line: verb.name });
    }
    const copying = this.options.ui.plain
      ? ''
      : '"copy" copies the configuration to your clipboard, "qr" shows it as a QR code.\n';
    this.note(`${copying}"restart" restarts the container, "keys add" and "keys remove" change its keys.`);
  }

  offerForCopying(text: string): void {
    this.textToCopy = text;
  }

  /** True while a call of this shell runs. A program in a container does not count: its output shows its activity. */
  get busy(): boolean {
    return this.liveCalls.all.some(
      ({ own, verb }) => own && !(isVerbName(verb) && verbNamed(verb).handsOverTerminal === true),
    );
  }

  /** Shows a warning at once, in the live list too. */
  warn(text: string): void {
    this.note(text);
    this.warnInView?.(text);
  }

  note(text: string): void {
    this.options.ui.print({ kind: 'note', text });
  }

  async #callVerb(line: string): Promise<number> {
    const { ui, actor } = this.options;
    const parsed = parseLine(line, actor);
    if (parsed.kind === 'help') {
      ui.print({ kind: 'blocks', blocks: parsed.blocks() });
      return exitCodes.ok;
    }
    const { verb, format } = parsed;
    refuseFiles(verb, parsed.input, outsideTheShell);
    if (verb.viewSwitch !== undefined && parsed.input[verb.viewSwitch] === true) {
      await ui.view(listRequest(parsed.input));
      return exitCodes.ok;
    }
    // Core refuses and records a call that is not allowed, so there is no point in asking for its input first.
    const input = mayUse(verb, actor.entryPoint, actor.role) ? await this.#completed(parsed) : parsed.input;
    if (input !== undefined) return this.#call({ verb, input, format, line });
    this.note('Cancelled. Nothing was changed.');
    return exitCodes.cancelled;
  }

  #completed(parsed: ParsedVerb): Promise<Readonly<Record<string, unknown>> | undefined> {
    return new InputQuestions({
      ...this.options,
      plan: (verb, input) => this.#call({ verb, input, format: 'table', line: `${verb.name} --plan` }),
    }).complete(parsed);
  }

  async #call(call: VerbCall): Promise<number> {
    return (await callVerb(call, this)).exitCode;
  }

  /** Asks the host for completions. Repeats the last answer for 3 s, so that each letter is not a request. */
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
        this.liveCalls.addOther(notice.call, performance.now());
        break;
      case 'step':
        this.liveCalls.setStep(notice.id, notice.step);
        break;
      case 'ended':
        this.liveCalls.remove(notice.id);
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
          ui.print({ kind: 'note', text: `${printable(actorTitle(notice.who))} joined` });
        break;
      case 'left':
        this.present = this.present.filter(({ shell }) => shell !== notice.who.shell);
        if (actor.entryPoint !== 'self') ui.print({ kind: 'note', text: `${printable(actorTitle(notice.who))} left` });
        break;
    }
    ui.changed();
  }
}

/** What to do in place of an option that names a file. */
const outsideTheShell = {
  read: 'run it outside this shell, and send the file on standard input',
  written: 'run it outside this shell, and redirect standard output: … > file',
} as const;
