/**
 * Screen-reader mode: the shell as lines of text, for screen readers, for terminals that support nothing else, and for
 * users who prefer it. Nothing is redrawn, and no control sequence is ever sent.
 */
import type { HandedOverTerminal } from '../../domain/terminal.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { plural } from '../../domain/text.ts';
import { History } from '../composer/history.ts';
import { pasteTooLong } from '../composer/pastedLines.ts';
import type { Item } from '../items/item.ts';
import type { ShellModel } from '../model/shellModel.ts';
import { narrowed, type ListRequest } from '../model/listRequest.ts';
import type { ShellUi } from '../model/shellUi.ts';
import type { Confirmation, FormRequest } from '../model/ui.ts';
import type { InkStreams, Terminal } from '../terminal/terminal.ts';
import { confirm } from './prompts.ts';
import { CommandLine } from './commandLine.ts';
import { LineTerminal } from './lineTerminal.ts';
import { ListAnnouncer } from './listAnnouncer.ts';
import { Questionnaire } from './questionnaire.ts';
import { sentences } from './sentences.ts';
import { StepAnnouncer } from './stepAnnouncer.ts';

/** Why screen-reader mode is on: because of TERM, of a word on the command line, or of the user's setting. */
export type PlainReason = 'terminal' | 'once' | 'setting';

export interface PlainUiOptions {
  readonly terminal: Terminal;
  readonly actor: Actor;
  readonly reason: PlainReason;
  /** Ends the shell with an exit code. */
  readonly end: (code: number) => void;
}

const reasons: Readonly<Record<PlainReason, string>> = {
  terminal: 'Your terminal type (TERM) supports nothing else; set another TERM to get the usual shell.',
  once: 'For this login only; leave out "plain" to get the usual shell.',
  setting: 'To turn it off, type "plain off".',
};

export class PlainUi implements ShellUi {
  readonly plain = true;
  readonly #options: PlainUiOptions;
  readonly #streams: InkStreams;
  readonly #lines: LineTerminal;
  readonly #steps: StepAnnouncer;
  #shell: ShellModel | undefined;
  #commands: CommandLine | undefined;
  #history = new History([]);
  /** Returns to the prompt while a command continues. */
  #detach: (() => void) | undefined;
  #isClosed = false;
  #asking = 0;

  constructor(options: PlainUiOptions) {
    this.#options = options;
    this.#streams = options.terminal.open(() => this.print({ kind: 'failure', failure: pasteTooLong.toData() }));
    const { stdin, stdout } = this.#streams;
    this.#lines = new LineTerminal({
      write: (text) => stdout.write(text),
      columns: () => stdout.columns,
      interrupted: () => this.#interrupted(),
    });
    this.#steps = new StepAnnouncer((text) => this.#lines.say(text));
    this.#lines.say(`Screen-reader mode: only lines of text. ${reasons[options.reason]}`);
    stdin.setEncoding('utf8');
    stdin.on('data', (text: string) => this.#safely(() => this.#lines.feed(text)));
  }

  get isAsking(): boolean {
    return this.#asking > 0;
  }

  show(shell: ShellModel, lines: readonly string[]): void {
    this.#shell = shell;
    this.#history = new History(lines);
    this.#commands = new CommandLine({
      terminal: this.#lines,
      history: this.#history,
      stop: () => shell.interrupt(),
      complete: (text, cursor) => shell.complete(text, cursor),
      hasInputEnded: () => this.#options.terminal.hasInputEnded,
    });
  }

  ready(): void {
    // An exception here would end the whole server, not only this shell.
    void this.#serve().catch((error: unknown) => {
      this.#lines.say(`Error: the shell failed: ${Failure.from(error).why} (internal)`);
      this.#options.end(1);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#steps.close();
    this.#lines.close();
    this.#streams.close();
  }

  print(item: Item): void {
    // The typed line is already on the terminal.
    if (item.kind === 'command') return;
    if (item.kind === 'steps') this.#steps.finish(item.steps, item.notes);
    else this.#lines.say(sentences(item).join('\n'));
  }

  changed(): void {
    this.#steps.update(this.#shell?.liveCalls.all ?? []);
  }

  confirm(confirmation: Confirmation): Promise<boolean> {
    return this.#ask(() => confirm(this.#lines, confirmation));
  }

  form(request: FormRequest): Promise<Readonly<Record<string, unknown>> | undefined> {
    const complete = async (line: string): ReturnType<ShellModel['complete']> =>
      (await this.#shell?.complete(line, line.length)) ?? { from: 0, candidates: [], after: '' };
    const questions = new Questionnaire(request, {
      terminal: this.#lines,
      entryPoint: this.#options.actor.entryPoint,
      complete: async (line) => (await complete(line)).candidates,
    });
    return this.#ask(() => questions.run());
  }

  view(request: ListRequest): Promise<void> {
    return this.#ask(() => this.#watch(request));
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    this.#asking++;
    try {
      return await question();
    } finally {
      this.#asking--;
    }
  }

  get lines(): readonly string[] {
    return this.#history.lines;
  }

  remember(line: string): void {
    this.#history.add(line);
  }

  /** Announces the list and its changes until Enter or Ctrl-C. */
  async #watch(request: ListRequest): Promise<void> {
    const shell = this.#shell;
    if (shell === undefined) return;
    const { shells } = shell.options;
    const announcer = new ListAnnouncer();
    shell.feedListener = (update) => this.#lines.say(announcer.announce(narrowed(request, update)).join('\n'));
    try {
      await shells.feed(shell.shellId, true);
      for (;;) {
        const reading = await this.#lines.next();
        if (reading.kind === 'key' && ['enter', 'ctrl-c', 'ctrl-d'].includes(reading.name)) break;
      }
    } finally {
      shell.feedListener = undefined;
      await shells.feed(shell.shellId, false);
    }
    this.#lines.say('No longer watching the list.');
  }

  handOver(): Promise<HandedOverTerminal> {
    this.#lines.say('You are now inside the container, until its shell exits.');
    this.#lines.hold();
    this.#streams.stdout.flush();
    return Promise.resolve(this.#options.terminal.handOver(() => this.#lines.release()));
  }

  copy(): void {
    // Never called: `copy` is refused in this mode, because it would send a control sequence.
  }

  clear(): void {
    this.#lines.say('There is nothing to clear in screen-reader mode.');
  }

  width(): number {
    return this.#options.terminal.columns;
  }

  async #serve(): Promise<void> {
    const [commands, shell] = [this.#commands, this.#shell];
    if (commands === undefined || shell === undefined) return;
    while (!this.#isClosed) {
      const command = await commands.read();
      if (command.kind === 'run') await this.#run(shell, command.line);
      else if (command.kind === 'view') await this.#run(shell, 'list --watch');
      else if (command.kind === 'leave') shell.leave();
      else shell.leaveAtOnce();
      // Leaving closes this before the next turn, unless it waits for a command.
      await new Promise((resolve) => setImmediate(resolve));
      if (command.kind === 'leave' && this.#options.terminal.hasInputEnded) return;
    }
  }

  /** Runs a line until it ends or is detached. */
  async #run(shell: ShellModel, line: string): Promise<void> {
    const detached = new Promise<void>((resolve) => (this.#detach = resolve));
    await Promise.race([shell.run(line), detached]);
    this.#detach = undefined;
  }

  /** Handles Ctrl-C during a command: stops a call that reads; detaches from a change, which continues. */
  #interrupted(): boolean {
    const shell = this.#shell;
    if (shell === undefined) return false;
    const dropped = this.#commands?.drop() ?? 0;
    if (dropped > 0) this.#lines.say(`${plural(dropped, 'pasted line')} not run.`);
    if (shell.interrupt()) return true;
    if (this.#detach === undefined || !shell.liveCalls.all.some(({ own }) => own)) return dropped > 0;
    this.#lines.say('The command continues. Its end is announced here.');
    this.#detach();
    return true;
  }

  #safely(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#lines.say(`Error: ${Failure.from(error).message}`);
    }
  }
}
