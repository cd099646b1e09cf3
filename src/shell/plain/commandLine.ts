/** The line of commands: typed, completed from a numbered list, brought back from before. */
import { commonBeginning, type Completion } from '../composer/completion.ts';
import type { History } from '../composer/history.ts';
import { ask, choose } from './asking.ts';
import type { Desk } from './desk.ts';
import type { Candidate } from '../../domain/events/candidate.ts';

export interface CommandLineOptions {
  readonly desk: Desk;
  readonly history: History;
  /** Ends something that can be stopped, where there is such a thing: whether there was. */
  readonly stop: () => boolean;
  readonly complete: (text: string, cursor: number) => Promise<Completion>;
}

/** A line to run, the wish to see the live list, or to leave. */
export type Command =
  { readonly kind: 'run'; readonly line: string } | { readonly kind: 'view' } | { readonly kind: 'leave' };

const prompt = '> ';
const publicKey = /^(ssh-(rsa|ed25519|dss)|ecdsa-sha2-\S+|sk-(ssh|ecdsa)-\S+)\s+AAAA/;
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY/;

export class CommandLine {
  readonly #options: CommandLineOptions;
  /** What Up looks for: the line's beginning when the walk began. */
  #prefix: string | undefined;

  constructor(options: CommandLineOptions) {
    this.#options = options;
  }

  async read(): Promise<Command> {
    const { desk } = this.#options;
    this.#open('');
    let leaving = false;
    for (;;) {
      const reading = await desk.next();
      if (reading.kind === 'line') {
        const command = this.#sent(reading.text);
        if (command !== undefined) return command;
        this.#open('');
        continue;
      }
      const { name } = reading;
      if (name === 'ctrl-c' && desk.typed === '') {
        if (this.#options.stop()) continue;
        if (leaving) return this.#closed({ kind: 'leave' });
        leaving = true;
        desk.say('Press Ctrl-C again to leave; what is at work goes on.');
        continue;
      }
      leaving = false;
      if (name === 'ctrl-d' && desk.typed === '') return this.#closed({ kind: 'leave' });
      if (name === 'ctrl-o') return this.#closed({ kind: 'view' });
      await this.#key(name);
    }
  }

  async #key(name: string): Promise<void> {
    const { desk } = this.#options;
    switch (name) {
      case 'ctrl-c':
        desk.closeLine();
        desk.say('Cleared.');
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
      default:
      // There is no way to move in a line that is never drawn again.
    }
  }

  #open(text: string): void {
    this.#prefix = undefined;
    this.#options.desk.open(prompt, { text });
  }

  #closed(command: Command): Command {
    this.#options.desk.closeLine();
    return command;
  }

  #sent(text: string): Command | undefined {
    const { desk, history } = this.#options;
    const line = text.trim();
    if (line === '') return undefined;
    if (publicKey.test(line)) {
      desk.say('That is a public key and not a command; nothing was run. "create" and "key add" ask for one.');
      return undefined;
    }
    if (privateKey.test(line)) {
      desk.say(
        'That is a private key; nothing was run or kept. What is needed here is the public one, the line of the .pub file.',
      );
      return undefined;
    }
    history.add(line);
    return { kind: 'run', line };
  }

  /** An earlier line comes on a line of its own, as if it had been typed there. */
  #walk(direction: 'older' | 'newer'): void {
    const { desk, history } = this.#options;
    this.#prefix ??= desk.typed;
    const found =
      direction === 'older' ? history.older(desk.typed, this.#prefix) : history.newer(desk.typed, this.#prefix);
    const text = found ?? desk.typed;
    desk.closeLine();
    if (found === undefined) desk.say(direction === 'older' ? 'No earlier line.' : 'No later line.');
    desk.open(prompt, { text });
  }

  async #search(): Promise<void> {
    const { desk, history } = this.#options;
    const before = desk.typed;
    desk.closeLine();
    const wanted = (await ask(desk, 'Find in earlier lines: '))?.trim() ?? '';
    const found = wanted === '' ? undefined : history.find(wanted, 0);
    if (wanted !== '' && found === undefined) desk.say('Not found.');
    this.#open(found ?? before);
  }

  async #complete(): Promise<void> {
    const { desk, complete } = this.#options;
    const text = desk.typed;
    const completion = await complete(text, text.length);
    const [first, ...others] = completion.candidates;
    if (first === undefined) this.#tellNothing(text);
    else if (others.length === 0) this.#take(text, completion, first);
    else await this.#choose(text, completion);
  }

  /** Without a choice the line goes on as far as all of them are the same. */
  async #choose(text: string, completion: Completion): Promise<void> {
    const common = commonBeginning(completion.candidates);
    const typed = text.slice(completion.from);
    const further =
      common.length > typed.length && common.toLowerCase().startsWith(typed.toLowerCase())
        ? text.slice(0, completion.from) + common
        : text;
    const chosen = await choose(this.#options.desk, completion.candidates);
    this.#open(chosen === undefined ? further : text.slice(0, completion.from) + chosen.value + completion.after);
  }

  #tellNothing(text: string): void {
    const { desk } = this.#options;
    desk.closeLine();
    desk.say('Nothing completes this.');
    this.#open(text);
  }

  /** The only one there is: only what is missing is written, where that is possible. */
  #take(text: string, { from, after }: Completion, { value }: Candidate): void {
    const { desk } = this.#options;
    const whole = text.slice(0, from) + value + after;
    if (whole.startsWith(text)) desk.type(whole.slice(text.length));
    else this.#open(whole);
  }
}
