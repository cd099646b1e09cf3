/** Reads command lines in screen-reader mode, with history and completion. */
import { quoteWord } from '../../catalogue/tokens.ts';
import { commonBeginning, type Completion } from '../../catalogue/completion.ts';
import type { History } from '../composer/history.ts';
import { ask, choose } from './prompts.ts';
import type { LineTerminal } from './lineTerminal.ts';
import type { Candidate } from '../../domain/events/candidate.ts';
import { Failure } from '../../domain/failure.ts';
import { plural, printable } from '../../domain/text.ts';
import { failureSentences } from '../../catalogue/output/sentences.ts';
import { insertPaste } from '../composer/pastedLines.ts';
import { deleteForward, replaced, type Line } from '../composer/line.ts';

export interface CommandLineOptions {
  readonly terminal: LineTerminal;
  readonly history: History;
  /** Stops a running call. Returns false if no call can be stopped. */
  readonly stop: () => boolean;
  readonly complete: (text: string, cursor: number) => Promise<Completion>;
  /** Whether no more input will come. */
  readonly hasInputEnded: () => boolean;
}

/** What the user wants: run a line, open the live list, or leave, when what runs has ended or at once. */
export type Command =
  { readonly kind: 'run'; readonly line: string } | { readonly kind: 'view' | 'leave' | 'leave-at-once' };

const prompt = '> ';
const publicKey = /^(ssh-(rsa|ed25519|dss)|ecdsa-sha2-\S+|sk-(ssh|ecdsa)-\S+)\s+AAAA/;
/** How many pasted lines are said. */
const maxSaidLines = 20;
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY/;

export class CommandLine {
  readonly #options: CommandLineOptions;
  /** What Up looks for: the line when Up was first pressed. */
  #prefix: string | undefined;
  /** Pasted lines before the open one, which wait for Enter. */
  #pasted: readonly string[] = [];
  /** Pasted lines that run one after the other. */
  readonly #sentLines: string[] = [];
  #hasEnded = false;

  constructor(options: CommandLineOptions) {
    this.#options = options;
  }

  /** Drops the pasted lines that have not run yet. Returns their number. */
  drop(): number {
    return this.#sentLines.splice(0).length;
  }

  async read(): Promise<Command> {
    const { terminal, hasInputEnded } = this.#options;
    const next = this.#nextPasted();
    if (next !== undefined) return next;
    if (this.#hasEnded) return { kind: 'leave' };
    this.#open('');
    let leaving = false;
    for (;;) {
      const reading = await terminal.next();
      if (reading.kind === 'paste') {
        this.#paste(reading.text);
        continue;
      }
      if (reading.kind === 'line') {
        const command = this.#sendAll(reading.text);
        if (command !== undefined) return command;
        this.#open('');
        continue;
      }
      const { name } = reading;
      if (name === 'ctrl-d' && hasInputEnded()) {
        this.#hasEnded = true;
        const { typed } = terminal;
        terminal.closeLine();
        return this.#sendAll(typed) ?? { kind: 'leave' };
      }
      const isEmpty = terminal.typed === '' && this.#pasted.length === 0;
      if (name === 'ctrl-c' && isEmpty) {
        if (this.#options.stop()) continue;
        if (leaving) return this.#closed({ kind: 'leave-at-once' });
        leaving = true;
        terminal.say('Press Ctrl-C again to leave; changes in progress continue.');
        continue;
      }
      leaving = false;
      if (name === 'ctrl-d' && isEmpty) return this.#closed({ kind: 'leave' });
      if (name === 'ctrl-o') return this.#closed({ kind: 'view' });
      await this.#key(name);
    }
  }

  async #key(name: string): Promise<void> {
    const { terminal } = this.#options;
    switch (name) {
      case 'ctrl-c':
        this.#pasted = [];
        terminal.closeLine();
        terminal.say('Cleared.');
        this.#open('');
        return;
      case 'up':
      case 'ctrl-p':
        this.#walk('older');
        return;
      case 'down':
      case 'ctrl-n':
        this.#walk('newer');
        return;
      case 'tab':
        return this.#complete();
      case 'ctrl-r':
        return this.#search();
      case 'ctrl-d':
        terminal.line = deleteForward(terminal.line);
        return;
      default:
    }
  }

  #open(text: string, cursor = text.length): void {
    this.#prefix = undefined;
    this.#options.terminal.open(prompt, { text, cursor, readsPastes: true });
  }

  #closed(command: Command): Command {
    this.#options.terminal.closeLine();
    return command;
  }

  /** Inserts a paste of one line into the open one. Of several lines, the last one is edited. */
  #paste(text: string): void {
    const { terminal } = this.#options;
    const { line } = terminal;
    const before = this.#pasted.length;
    const pasted = insertPaste({ lines: this.#pasted, line }, text);
    if (!(pasted instanceof Failure) && pasted.lines.length === before) {
      terminal.line = pasted.line;
      return;
    }
    terminal.closeLine();
    if (pasted instanceof Failure) {
      terminal.say(failureSentences(pasted.toData()).trimEnd());
      return this.#open(line.text, line.cursor);
    }
    this.#pasted = pasted.lines;
    const added = pasted.lines.slice(before);
    const more = added.length - maxSaidLines;
    terminal.say(
      [
        ...added.slice(0, maxSaidLines).map((line) => printable(line)),
        ...(more > 0 ? [`and ${plural(more, 'more line')}.`] : []),
        `${plural(pasted.lines.length, 'pasted line')}. Press Enter to run all in order, or Ctrl-C to drop them.`,
      ].join('\n'),
    );
    this.#open(pasted.line.text, pasted.line.cursor);
  }

  /** Sends the open line, after the pasted ones. */
  #sendAll(text: string): Command | undefined {
    if (this.#pasted.length === 0) return this.#sent(text);
    this.#sentLines.push(...[...this.#pasted, text].filter((line) => line.trim() !== ''));
    this.#pasted = [];
    return this.#nextPasted();
  }

  /** Returns the next pasted line that is a command. */
  #nextPasted(): Command | undefined {
    for (let line = this.#sentLines.shift(); line !== undefined; line = this.#sentLines.shift()) {
      this.#options.terminal.say(`${prompt}${printable(line)}`);
      const command = this.#sent(line);
      if (command !== undefined) return command;
    }
    return undefined;
  }

  #sent(text: string): Command | undefined {
    const { terminal, history } = this.#options;
    const line = text.trim();
    if (line === '') return undefined;
    if (publicKey.test(line)) {
      terminal.say('That is a public key, not a command. Nothing was run. "create" and "key add" ask for a key.');
      return undefined;
    }
    if (privateKey.test(line)) {
      terminal.say(
        'That is a private key. Nothing was run or stored. Use the public key instead: the line in the .pub file.',
      );
      return undefined;
    }
    history.add(line);
    return { kind: 'run', line };
  }

  /** Puts an earlier or later line on a new prompt. */
  #walk(direction: 'older' | 'newer'): void {
    const { terminal, history } = this.#options;
    this.#prefix ??= terminal.line.text.slice(0, terminal.line.cursor);
    const found =
      direction === 'older' ? history.older(terminal.typed, this.#prefix) : history.newer(terminal.typed, this.#prefix);
    const text = found ?? terminal.typed;
    terminal.closeLine();
    if (found === undefined) terminal.say(direction === 'older' ? 'No earlier line.' : 'No later line.');
    terminal.open(prompt, { text, readsPastes: true });
  }

  async #search(): Promise<void> {
    const { terminal, history } = this.#options;
    const before = terminal.line;
    terminal.closeLine();
    const wanted = (await ask(terminal, 'Search earlier lines: '))?.trim() ?? '';
    const found = wanted === '' ? undefined : history.find(wanted, 0);
    if (wanted !== '' && found === undefined) terminal.say('Not found.');
    if (found === undefined) this.#open(before.text, before.cursor);
    else this.#open(found);
  }

  async #complete(): Promise<void> {
    const { terminal, complete } = this.#options;
    const { line } = terminal;
    const completion = await complete(line.text, line.cursor);
    const [first, ...others] = completion.candidates;
    if (first === undefined) this.#sayNoCompletions(line);
    else if (others.length === 0) this.#take(line, completion, first);
    else await this.#choose(line, completion);
  }

  /** Prints the choices. If the user chooses none, the line gets the common prefix of all. */
  async #choose(line: Line, completion: Completion): Promise<void> {
    const common = commonBeginning(completion.candidates);
    const typed = line.text.slice(completion.from, line.cursor);
    const further =
      common.length > typed.length && common.toLowerCase().startsWith(typed.toLowerCase())
        ? replaced(line, completion.from, common)
        : line;
    const chosen = await choose(this.#options.terminal, completion.candidates);
    const { text, cursor } =
      chosen === undefined ? further : replaced(line, completion.from, quoteWord(chosen.value) + completion.after);
    this.#open(text, cursor);
  }

  #sayNoCompletions({ text, cursor }: Line): void {
    this.#options.terminal.closeLine();
    this.#options.terminal.say('No completions.');
    this.#open(text, cursor);
  }

  /** Accepts the only candidate. Writes only the missing part, if the typed part can stay. */
  #take(line: Line, { from, after }: Completion, { value }: Candidate): void {
    const { terminal } = this.#options;
    const whole = replaced(line, from, quoteWord(value) + after);
    if (whole.text.startsWith(line.text.slice(0, line.cursor))) terminal.line = whole;
    else this.#open(whole.text, whole.cursor);
  }
}
