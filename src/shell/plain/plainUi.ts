/**
 * The shell as lines of text: for screen readers, for terminals that can do nothing else, and for whoever prefers it.
 * Nothing is drawn, so nothing is drawn again; no control sequence is ever sent.
 */
import type { HandedOverTerminal } from '../../domain/terminal.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { History } from '../composer/history.ts';
import type { Item } from '../items/item.ts';
import type { ShellModel } from '../model/shellModel.ts';
import { narrowed, type ListRequest } from '../model/listRequest.ts';
import type { ShellUi } from '../model/shellUi.ts';
import type { Confirmation, FormRequest } from '../model/ui.ts';
import type { InkStreams, Terminal } from '../terminal/terminal.ts';
import { confirm } from './asking.ts';
import { CommandLine } from './commandLine.ts';
import { Desk } from './desk.ts';
import { ListTeller } from './following.ts';
import { Questionnaire } from './questionnaire.ts';
import { sentences } from './sentences.ts';
import { StepTeller } from './stepTeller.ts';

/** Why it is lines of text: the terminal's name, a word on the command line, or what the person chose. */
export type PlainReason = 'terminal' | 'once' | 'setting';

export interface PlainUiOptions {
  readonly terminal: Terminal;
  readonly actor: Actor;
  readonly reason: PlainReason;
  /** Ends the session with an exit code. */
  readonly end: (code: number) => void;
}

const leaving: Readonly<Record<PlainReason, string>> = {
  terminal: 'Your terminal says that it can do nothing else (TERM); with another TERM you get the usual shell.',
  once: 'For this once; without "plain" behind ssh you get the usual shell.',
  setting: 'To leave it, type "plain off" and log in again.',
};

export class PlainUi implements ShellUi {
  readonly plain = true;
  readonly #options: PlainUiOptions;
  readonly #streams: InkStreams;
  readonly #desk: Desk;
  readonly #steps: StepTeller;
  #shellModel: ShellModel | undefined;
  #commands: CommandLine | undefined;
  /** Gives the prompt back while a command goes on. */
  #detach: (() => void) | undefined;
  #isClosed = false;

  constructor(options: PlainUiOptions) {
    this.#options = options;
    this.#streams = options.terminal.open();
    const { stdin, stdout } = this.#streams;
    this.#desk = new Desk({
      write: (text) => stdout.write(text),
      columns: () => stdout.columns,
      interrupted: () => this.#interrupted(),
    });
    this.#steps = new StepTeller((text) => this.#desk.say(text));
    this.#desk.say(`Screen-reader mode: only lines of text. ${leaving[options.reason]}`);
    stdin.setEncoding('utf8');
    stdin.on('data', (text: string) => this.#safely(() => this.#desk.feed(text)));
  }

  show(shellModel: ShellModel, lines: readonly string[]): void {
    this.#shellModel = shellModel;
    this.#commands = new CommandLine({
      desk: this.#desk,
      history: new History(lines),
      stop: () => shellModel.interrupt(),
      complete: (text, cursor) => shellModel.complete(text, cursor),
    });
  }

  ready(): void {
    // What is thrown here would end the whole server, not this session.
    void this.#serve().catch((error: unknown) => {
      this.#desk.say(`Error: the shell failed: ${Failure.from(error).why} (internal)`);
      this.#options.end(1);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#steps.close();
    this.#desk.close();
    this.#streams.close();
  }

  print(item: Item): void {
    // What was typed is on the terminal already.
    if (item.kind === 'command') return;
    if (item.kind === 'steps') this.#steps.finish(item.steps, item.notes);
    else this.#desk.say(sentences(item).join('\n'));
  }

  changed(): void {
    this.#steps.look(this.#shellModel?.liveCalls.all ?? []);
  }

  confirm(confirmation: Confirmation): Promise<boolean> {
    return confirm(this.#desk, confirmation);
  }

  form(request: FormRequest): Promise<Readonly<Record<string, unknown>> | undefined> {
    const complete = async (line: string): ReturnType<ShellModel['complete']> =>
      (await this.#shellModel?.complete(line, line.length)) ?? { from: 0, candidates: [], after: '' };
    return new Questionnaire(request, {
      desk: this.#desk,
      entryPoint: this.#options.actor.entryPoint,
      complete: async (line) => (await complete(line)).candidates,
    }).run();
  }

  /** The list, and then what changes, until Enter or Ctrl-C. */
  async view(wish: ListRequest): Promise<void> {
    const shellModel = this.#shellModel;
    if (shellModel === undefined) return;
    const { shells } = shellModel.options;
    const teller = new ListTeller();
    shellModel.feedListener = (update) => this.#desk.say(teller.tell(narrowed(wish, update)).join('\n'));
    try {
      await shells.feed(shellModel.shell, true);
      for (;;) {
        const reading = await this.#desk.next();
        if (reading.kind === 'key' && ['enter', 'ctrl-c', 'ctrl-d'].includes(reading.name)) break;
      }
    } finally {
      shellModel.feedListener = undefined;
      await shells.feed(shellModel.shell, false);
    }
    this.#desk.say('The list is not followed any more.');
  }

  handOver(): Promise<HandedOverTerminal> {
    this.#desk.say('What comes now is from inside the container, until its shell ends.');
    this.#desk.hold();
    this.#streams.stdout.flush();
    return Promise.resolve(this.#options.terminal.handOver(() => this.#desk.release()));
  }

  copy(): void {
    // A sequence for the terminal: nothing of that kind is sent here, and the conversation says so.
  }

  clear(): void {
    this.#desk.say('There is nothing to clear: in this mode nothing is drawn.');
  }

  width(): number {
    return this.#options.terminal.columns;
  }

  async #serve(): Promise<void> {
    const [commands, shellModel] = [this.#commands, this.#shellModel];
    if (commands === undefined || shellModel === undefined) return;
    while (!this.#isClosed) {
      const command = await commands.read();
      if (command.kind === 'run') await this.#run(shellModel, command.line);
      else if (command.kind === 'view') await this.#run(shellModel, 'list --watch');
      else {
        this.#options.end(0);
        return;
      }
    }
  }

  /** Until it has ended, or goes on without being waited for. */
  async #run(shellModel: ShellModel, line: string): Promise<void> {
    const detached = new Promise<void>((resolve) => (this.#detach = resolve));
    await Promise.race([shellModel.run(line), detached]);
    this.#detach = undefined;
  }

  /**
   * Ctrl-C while a command is at work: ends what only reads; what changes something goes on, and the prompt comes back.
   */
  #interrupted(): boolean {
    const shellModel = this.#shellModel;
    if (shellModel === undefined) return false;
    if (shellModel.interrupt()) return true;
    if (this.#detach === undefined || !shellModel.liveCalls.all.some(({ own }) => own)) return false;
    this.#desk.say('It goes on, and its end is told here.');
    this.#detach();
    return true;
  }

  #safely(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#desk.say(`Error: ${Failure.from(error).message}`);
    }
  }
}
