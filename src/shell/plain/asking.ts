/** Questions on paper: one line each, asked again with the reason where an answer will not do. */
import { printable } from '../../domain/text.ts';
import type { Confirmation } from '../model/ui.ts';
import type { Desk, LineOptions } from './desk.ts';
import { stopped, valueInWords } from './sentences.ts';
import type { Candidate } from '../../domain/events/candidate.ts';

/** Nothing: the person gave up. */
export type Answer = string | undefined;

export interface QuestionOptions extends LineOptions {
  /** Tab: what could be answered. */
  readonly candidates?: (typed: string) => Promise<readonly Candidate[]>;
}

/** Asks one line. Ctrl-C gives up, and Ctrl-D where nothing is typed. */
export async function ask(desk: Desk, prompt: string, options: QuestionOptions = {}): Promise<Answer> {
  desk.open(prompt, options);
  for (;;) {
    const reading = await desk.next();
    if (reading.kind === 'line') return reading.text;
    if (reading.name === 'ctrl-c' || (reading.name === 'ctrl-d' && desk.typed === '')) {
      desk.closeLine();
      return undefined;
    }
    if (reading.name !== 'tab' || options.candidates === undefined) continue;
    const { typed } = desk;
    const candidates = await options.candidates(typed);
    const chosen = candidates.length > 1 ? await choose(desk, candidates) : candidates[0];
    desk.open(prompt, { ...options, text: chosen?.value ?? typed });
  }
}

/** Said at once; whoever wants the others types more letters first. */
const maxChoices = 30;

/** Says a numbered list and asks for a number. An empty answer chooses nothing. */
export async function choose(desk: Desk, candidates: readonly Candidate[]): Promise<Candidate | undefined> {
  const shown = candidates.slice(0, maxChoices);
  desk.closeLine();
  desk.say(
    shown
      .map(
        ({ value, says }, i) =>
          `${i + 1}. ${printable(value)}${says === undefined || says === '' ? '' : `: ${printable(says)}`}`,
      )
      .join('\n'),
  );
  const others = candidates.length - shown.length;
  if (others > 0) desk.say(`${others} more are not listed; type more letters first.`);
  for (;;) {
    const answer = await ask(desk, 'Number, or Enter for none: ');
    const typed = answer?.trim() ?? '';
    if (typed === '') return undefined;
    const chosen = /^\d{1,3}$/.test(typed) ? shown[Number(typed) - 1] : undefined;
    if (chosen !== undefined) return chosen;
    desk.say(`There is no number ${printable(typed)} in the list of ${shown.length}.`);
  }
}

/** Says what will be lost, and asks for the word. Giving up is the default: an empty line is a no. */
export async function confirm(desk: Desk, { title, facts, word }: Confirmation): Promise<boolean> {
  desk.say(
    [
      stopped(printable(title)),
      ...facts.map(([label, value]) => stopped(`${printable(label)}: ${valueInWords(value)}`)),
    ].join('\n'),
  );
  for (;;) {
    const answer = await ask(desk, `Type "${printable(word)}" to go on, or Enter alone to cancel: `);
    const typed = answer?.trim() ?? '';
    if (typed === '') return false;
    if (typed === word) return true;
    desk.say(`That is not ${printable(word)}.`);
  }
}
