/** Questions of screen-reader mode. Each is one line, and is repeated with the reason if the answer is not accepted. */
import { printable } from '../../domain/text.ts';
import { deleteForward } from '../composer/line.ts';
import type { Confirmation } from '../model/ui.ts';
import type { LineTerminal, LineOptions } from './lineTerminal.ts';
import { stopped, valueInWords } from './sentences.ts';
import type { Candidate } from '../../domain/events/candidate.ts';

/** The answer, or nothing if the user cancelled. */
export type Answer = string | undefined;

export interface QuestionOptions extends LineOptions {
  /** Completes the answer when the user presses Tab. */
  readonly candidates?: (typed: string) => Promise<readonly Candidate[]>;
}

/** Asks for one line. Ctrl-C cancels, and so does Ctrl-D on an empty line. */
export async function ask(terminal: LineTerminal, prompt: string, options: QuestionOptions = {}): Promise<Answer> {
  terminal.open(prompt, options);
  for (;;) {
    const reading = await terminal.next();
    if (reading.kind === 'line') return reading.text;
    if (reading.kind === 'paste') continue;
    if (reading.name === 'ctrl-c' || (reading.name === 'ctrl-d' && terminal.typed === '')) {
      terminal.closeLine();
      return undefined;
    }
    if (reading.name === 'ctrl-d') terminal.line = deleteForward(terminal.line);
    if (reading.name !== 'tab' || options.candidates === undefined) continue;
    const { text, cursor } = terminal.line;
    const candidates = await options.candidates(text);
    const chosen = candidates.length > 1 ? await choose(terminal, candidates) : candidates[0];
    terminal.open(prompt, { ...options, ...(chosen === undefined ? { text, cursor } : { text: chosen.value }) });
  }
}

/** How many choices are listed at once. */
const maxChoices = 30;

/** Prints a numbered list and asks for a number. An empty answer chooses nothing. */
export async function choose(terminal: LineTerminal, candidates: readonly Candidate[]): Promise<Candidate | undefined> {
  const shown = candidates.slice(0, maxChoices);
  terminal.closeLine();
  terminal.say(
    shown
      .map(
        ({ value, says }, i) =>
          `${i + 1}. ${printable(value)}${says === undefined || says === '' ? '' : `: ${printable(says)}`}`,
      )
      .join('\n'),
  );
  const others = candidates.length - shown.length;
  if (others > 0) terminal.say(`${others} more are not listed. Type more letters to shorten the list.`);
  for (;;) {
    const answer = await ask(terminal, 'Number, or Enter for none: ');
    const typed = answer?.trim() ?? '';
    if (typed === '') return undefined;
    const chosen = /^\d{1,3}$/.test(typed) ? shown[Number(typed) - 1] : undefined;
    if (chosen !== undefined) return chosen;
    terminal.say(`"${printable(typed)}" is not a number from 1 to ${shown.length}.`);
  }
}

/** Prints what will be lost and asks for the word. An empty line cancels. */
export async function confirm(terminal: LineTerminal, { title, facts, word }: Confirmation): Promise<boolean> {
  terminal.say(
    [
      stopped(printable(title)),
      ...facts.map(([label, value]) => stopped(`${printable(label)}: ${valueInWords(value)}`)),
    ].join('\n'),
  );
  for (;;) {
    const answer = await ask(terminal, `Type "${printable(word)}" to continue, or press Enter to cancel: `);
    const typed = answer?.trim() ?? '';
    if (typed === '') return false;
    if (typed === word) return true;
    terminal.say(`That does not match "${printable(word)}".`);
  }
}
