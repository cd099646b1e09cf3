/** What a shell asks before it calls a verb: the input that is missing, and whether it is meant. */
import { readStakes } from '../../catalogue/atStake.ts';
import type { AnyVerb, VerbName } from '../../catalogue/catalogue.ts';
import { commandOf } from '../../catalogue/commandOf.ts';
import { warningOf, wordToConfirm } from '../../catalogue/declaration/verb.ts';
import { hasPlan, planOf } from '../../catalogue/plan.ts';
import { presentValues } from '../../catalogue/presentValues.ts';
import { askAboutSeveral, isAboutSeveral, type SeveralQuestion } from '../../catalogue/selection.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { quoted } from '../../domain/text.ts';
import type { CoreClient } from '../../protocol/client.ts';
import type { ShellClient } from '../../protocol/shellClient.ts';
import type { ParsedVerb } from './parseLine.ts';
import type { FormRequest, Ui } from './ui.ts';

export interface InputQuestionsOptions {
  readonly actor: Actor;
  readonly core: CoreClient;
  readonly shells: Pick<ShellClient, 'typed'>;
  readonly ui: Ui;
  /** Shows the plan of a call. */
  readonly plan: (verb: AnyVerb, input: Readonly<Record<string, unknown>>) => Promise<number>;
}

export class InputQuestions {
  readonly #options: InputQuestionsOptions;

  constructor(options: InputQuestionsOptions) {
    this.#options = options;
  }

  /** Asks for missing input and for confirmation. Returns nothing if the user cancels. */
  async complete({ verb, input, incomplete }: ParsedVerb): Promise<Readonly<Record<string, unknown>> | undefined> {
    const full = incomplete ? await this.#filledIn(verb, input) : input;
    if (full !== undefined && verb.changes && isAboutSeveral(verb, full))
      return full['yes'] === true ? full : this.#confirmedForSeveral(verb, full);
    if (full === undefined || verb.danger !== 'type-name' || full['yes'] === true) return full;
    const word = wordToConfirm(verb, full);
    // Without a valid name core refuses the call, so there is nothing to confirm.
    if (word === null) return full;
    return (await this.#confirmed(verb, full, word)) ? { ...full, confirm: word } : undefined;
  }

  /** Asks for missing input, and keeps the whole command for Up. Returns nothing if the user cancels. */
  async #filledIn(
    verb: AnyVerb,
    given: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { ui, actor, shells, core } = this.#options;
    const now = await presentValues(verb, given, (reader, wanted) => this.#read(reader, wanted));
    const { defaults } = core.greeting;
    const known = { now, ...(defaults === undefined ? {} : { defaults }) };
    const filled = await ui.form({ ...this.#formOf(verb, given), known });
    if (filled === undefined) return undefined;
    const line = commandOf(verb, filled);
    shells.typed(actor, line);
    ui.remember(line);
    return filled;
  }

  #formOf(verb: AnyVerb, given: Readonly<Record<string, unknown>>): FormRequest {
    if (!hasPlan(verb)) return { verb, given };
    const plan = (input: Readonly<Record<string, unknown>>): Promise<number> => this.#options.plan(planOf(verb), input);
    return { verb, given, plan };
  }

  async #read(verb: VerbName, input: Readonly<Record<string, unknown>>): Promise<unknown> {
    const { core, actor } = this.#options;
    return (await core.call({ actor, verb, input }, () => undefined, new AbortController().signal)).result;
  }

  /** Shows the containers and asks the user to type their number. Returns nothing if the user cancels. */
  async #confirmedForSeveral(
    verb: AnyVerb,
    input: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { actor } = this.#options;
    const question = await askAboutSeveral(verb, input, actor, (reader, wanted) => this.#read(reader, wanted));
    if (question === undefined) return input;
    const { word } = question;
    if (!(await this.#confirms(question))) return undefined;
    return { ...question.input, ...(verb.danger === 'none' ? {} : { confirm: word }) };
  }

  /** Shows what will be lost and asks the user to type the name. */
  async #confirmed(verb: AnyVerb, input: Readonly<Record<string, unknown>>, word: string): Promise<boolean> {
    const { actor } = this.#options;
    const facts = await readStakes(verb, input, actor, (reader, wanted) => this.#read(reader, wanted));
    return this.#confirms({
      question: `${verb.summary}: ${quoted(word)}.`,
      warning: warningOf(verb, input),
      facts,
      word,
    });
  }

  #confirms({ question, warning, facts, word }: Omit<SeveralQuestion, 'input'>): Promise<boolean> {
    const { ui } = this.#options;
    const title = `${question} ${warning}`.trim();
    if (ui.plain || title.length <= ui.width()) return ui.confirm({ title, facts, word });
    // The title is one line, which the screen would cut off.
    const sentences = warning.split(/(?<=\.) /).map((sentence) => ['Note', sentence] as const);
    return ui.confirm({ title: question, facts: [...facts, ...sentences], word });
  }
}
