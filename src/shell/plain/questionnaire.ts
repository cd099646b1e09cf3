/** A form as a series of questions: the counterpart of FormDialog in screen-reader mode. */
import { capitalised } from '../../catalogue/declaration/show.ts';
import { withOneUser } from '../../catalogue/declaration/several.ts';
import type { EntryPoint } from '../../domain/access/actor.ts';
import { printable } from '../../domain/text.ts';
import { carried, fieldsOf, fieldText, judge, labelsOf, rawValue, type Field } from '../forms/fields.ts';
import type { FormRequest } from '../model/ui.ts';
import { ask } from './prompts.ts';
import type { LineTerminal } from './lineTerminal.ts';
import { stopped } from './sentences.ts';
import type { Candidate } from '../../domain/events/candidate.ts';

export interface QuestionnaireOptions {
  readonly terminal: LineTerminal;
  readonly entryPoint: EntryPoint;
  /** Completes a command line. */
  readonly complete: (line: string) => Promise<readonly Candidate[]>;
}

/** How a question was left. */
type Step = 'next' | 'back' | 'skip-all' | 'cancel';

export class Questionnaire {
  readonly #options: QuestionnaireOptions;
  readonly #request: FormRequest;
  readonly #fields: readonly Field[];
  readonly #answers = new Map<string, string>();

  constructor(request: FormRequest, options: QuestionnaireOptions) {
    this.#request = request;
    this.#options = options;
    this.#fields = fieldsOf(request.verb, options.entryPoint, request.given);
    for (const field of this.#fields) {
      const text = fieldText(request.given[field.name]);
      if (text !== '') this.#answers.set(field.name, text);
    }
  }

  /** Resolves with the input as the command line would pass it, or with nothing if the user cancelled. */
  async run(): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { terminal } = this.#options;
    const { summary } = this.#request.verb;
    terminal.say(
      `${stopped(summary)} Press Enter after each answer. "back" goes back, "done" skips the rest, Ctrl-C cancels.`,
    );
    let at = this.#firstQuestion();
    for (;;) {
      const field = this.#fields[at];
      const step = field === undefined ? await this.#confirm() : await this.#askField(field, at > 0);
      if (step === 'cancel') return undefined;
      if (step === 'back') at = Math.max(0, at - 1);
      else if (step === 'skip-all') at = this.#nextRequired(at + 1);
      else if (field === undefined) return this.#input();
      else at++;
      const missing = at >= this.#fields.length ? this.#missing() : undefined;
      if (missing !== undefined) {
        terminal.say(`At least one of these is required: ${labelsOf(this.#fields, missing).join(', ')}.`);
        at = this.#fields.findIndex(({ name }) => missing.includes(name));
      }
    }
  }

  /** Finds the first question. Valid values from the command line are not asked for, unless the user goes back. */
  #firstQuestion(): number {
    const first = this.#fields.findIndex((field) => !this.#answers.has(field.name) || this.#error(field) !== undefined);
    for (const field of this.#fields.slice(0, Math.max(0, first)))
      this.#options.terminal.say(`${field.label}: ${printable(this.#answers.get(field.name) ?? '')}, as you typed it.`);
    const wrong = this.#fields[first];
    const given = wrong === undefined ? undefined : this.#answers.get(wrong.name);
    if (wrong !== undefined && given !== undefined) {
      this.#options.terminal.say(
        `${printable(given)} is not accepted: ${stopped(printable(this.#error(wrong) ?? ''))}`,
      );
      this.#answers.delete(wrong.name);
    }
    return first === -1 ? this.#fields.length : first;
  }

  #nextRequired(from: number): number {
    const found = this.#fields.findIndex((field, i) => i >= from && field.required && this.#error(field) !== undefined);
    return found === -1 ? this.#fields.length : found;
  }

  #error(field: Field): string | undefined {
    return judge(this.#request.verb, field, this.#answers.get(field.name) ?? '').error;
  }

  async #askField(field: Field, canGoBack: boolean): Promise<Step> {
    const { terminal } = this.#options;
    const { verb } = this.#request;
    const given = this.#answers.get(field.name);
    if (field.kind === 'switch') return this.#askSwitch(field, canGoBack);
    const kept =
      given === undefined
        ? field.required
          ? ''
          : ' Press Enter to leave it out.'
        : ` Press Enter to keep ${printable(given)}.`;
    const { now, defaults } = this.#request.known ?? {};
    const known = [
      ...(now?.[field.name] === undefined ? [] : [` Now ${now[field.name]}.`]),
      ...(defaults?.[field.name] === undefined ? [] : [` The default is ${defaults[field.name]}.`]),
    ].join('');
    terminal.say(`${capitalised(field.says)}.${printable(known)}${kept}`);
    for (;;) {
      const answer = await ask(terminal, `${field.label}: `, {
        keepLines: field.kind === 'keys',
        ...(field.kind === 'keys' ? {} : { candidates: (typed: string) => this.#candidates(field, typed) }),
      });
      if (answer === undefined) return 'cancel';
      const typed = answer.trim();
      if (typed === 'back' && canGoBack) return 'back';
      if (typed === 'done' && !(field.required && given === undefined)) return 'skip-all';
      if (typed === '' && (given !== undefined || !field.required)) return 'next';
      const { error, about } = judge(verb, field, typed);
      if (error === undefined) {
        this.#answers.set(field.name, typed);
        if (about !== undefined) terminal.say(`That is ${printable(about)}.`);
        return 'next';
      }
      terminal.say(`Not accepted: ${stopped(printable(error))}`);
    }
  }

  /** Asks for a switch: as configured, yes or no. */
  async #askSwitch(field: Field, canGoBack: boolean): Promise<Step> {
    const { terminal } = this.#options;
    const now = this.#answers.get(field.name);
    const choices = ['', 'yes', 'no'];
    const at = now === undefined ? 1 : choices.indexOf(now) + 1;
    terminal.say(`${stopped(capitalised(field.says))}\n1. as configured\n2. yes\n3. no`);
    for (;;) {
      const answer = await ask(terminal, `Number for ${field.label}, or Enter for ${at}: `);
      if (answer === undefined) return 'cancel';
      const typed = answer.trim().toLowerCase();
      if (typed === 'back' && canGoBack) return 'back';
      if (typed === 'done') return 'skip-all';
      const chosen =
        typed === ''
          ? choices[at - 1]
          : /^[123]$/.test(typed)
            ? choices[Number(typed) - 1]
            : choices.find((choice) => choice !== '' && choice === typed);
      if (chosen !== undefined) {
        if (chosen === '') this.#answers.delete(field.name);
        else this.#answers.set(field.name, chosen);
        return 'next';
      }
      terminal.say('Not accepted: type 1, 2 or 3.');
    }
  }

  /** Repeats the answers and asks for confirmation. */
  async #confirm(): Promise<Step> {
    const { terminal } = this.#options;
    const { verb, plan } = this.#request;
    const given = this.#fields.flatMap((field) => {
      const text = this.#answers.get(field.name);
      if (text === undefined) return [];
      return [`${field.label} ${printable(judge(verb, field, text).about ?? text)}`];
    });
    terminal.say(`Your answers: ${given.join(', ')}.`);
    for (;;) {
      const answer = await ask(
        terminal,
        `Press Enter to ${verb.name}, or type ${plan === undefined ? '' : '"plan" or '}"back": `,
      );
      if (answer === undefined) return 'cancel';
      const typed = answer.trim().toLowerCase();
      if (typed === '' || typed === 'done' || typed === 'yes') return 'next';
      if (typed === 'back') return 'back';
      if (typed === 'plan' && plan !== undefined) {
        await plan(this.#input());
        continue;
      }
      terminal.say('Not accepted: press Enter to confirm, type "back" to go back, or press Ctrl-C to cancel.');
    }
  }

  #candidates(field: Field, typed: string): Promise<readonly Candidate[]> {
    const { verb } = this.#request;
    const argument = verb.parameters.some(
      (parameter) => parameter.kind === 'argument' && parameter.name === field.name,
    );
    const user = this.#answers.get('user') ?? '-';
    return this.#options.complete(
      argument ? `${verb.name} ${typed}` : `${verb.name} ${user} --${field.label} ${typed}`,
    );
  }

  /** Returns the fields of which at least one is required, if none has an answer. */
  #missing(): readonly string[] | undefined {
    const oneOf = this.#request.verb.form?.oneOf;
    return oneOf?.every((name) => !this.#answers.has(name)) === true ? oneOf : undefined;
  }

  #input(): Readonly<Record<string, unknown>> {
    const answers = this.#fields.flatMap((field) => {
      const raw = rawValue(field, this.#answers.get(field.name) ?? '');
      return raw === undefined ? [] : [[field.name, raw] as const];
    });
    const { verb, given } = this.#request;
    return withOneUser(verb, { ...carried(this.#fields, given), ...Object.fromEntries(answers) });
  }
}
