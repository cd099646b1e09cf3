/** A form as questions, one after another: what FormDialog is on a screen. */
import { capitalised } from '../../catalogue/declaration/show.ts';
import type { EntryPoint } from '../../domain/access/actor.ts';
import { printable } from '../../domain/text.ts';
import { fieldsOf, judge, rawValue, type Field } from '../forms/fields.ts';
import { typed as asTyped } from '../forms/form.ts';
import type { FormRequest } from '../model/ui.ts';
import { ask } from './asking.ts';
import type { Desk } from './desk.ts';
import { stopped } from './sentences.ts';
import type { Candidate } from '../../domain/events/candidate.ts';

export interface QuestionnaireOptions {
  readonly desk: Desk;
  readonly entryPoint: EntryPoint;
  /** What could stand at the end of a command line. */
  readonly complete: (line: string) => Promise<readonly Candidate[]>;
}

/** How a question was left. */
type Step = 'next' | 'back' | 'skip-all' | 'give-up';

export class Questionnaire {
  readonly #options: QuestionnaireOptions;
  readonly #request: FormRequest;
  readonly #fields: readonly Field[];
  readonly #answers = new Map<string, string>();

  constructor(request: FormRequest, options: QuestionnaireOptions) {
    this.#request = request;
    this.#options = options;
    this.#fields = fieldsOf(request.verb, options.entryPoint);
    for (const field of this.#fields) {
      const text = asTyped(request.given[field.name]);
      if (text !== '') this.#answers.set(field.name, text);
    }
  }

  /** Resolves with the input as the command line would give it, or with nothing where the person gave up. */
  async run(): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { desk } = this.#options;
    const { summary } = this.#request.verb;
    desk.say(
      `${stopped(summary)} Answer each question with Enter. "back" goes back, "done" skips the rest, Ctrl-C gives up.`,
    );
    let at = this.#firstQuestion();
    for (;;) {
      const field = this.#fields[at];
      const step = field === undefined ? await this.#last() : await this.#question(field, at > 0);
      if (step === 'give-up') return undefined;
      if (step === 'back') at = Math.max(0, at - 1);
      else if (step === 'skip-all') at = this.#nextRequired(at + 1);
      else if (field === undefined) return this.#input();
      else at++;
      const missing = at >= this.#fields.length ? this.#missing() : undefined;
      if (missing !== undefined) {
        desk.say(`At least one of these is needed: ${missing.join(', ')}.`);
        at = this.#fields.findIndex(({ name }) => missing.includes(name));
      }
    }
  }

  /** What the command line gave already, and rightly, is not asked again unless somebody goes back to it. */
  #firstQuestion(): number {
    const first = this.#fields.findIndex((field) => !this.#answers.has(field.name) || this.#error(field) !== undefined);
    for (const field of this.#fields.slice(0, Math.max(0, first)))
      this.#options.desk.say(`${field.label}: ${printable(this.#answers.get(field.name) ?? '')}, as you typed it.`);
    const wrong = this.#fields[first];
    const given = wrong === undefined ? undefined : this.#answers.get(wrong.name);
    if (wrong !== undefined && given !== undefined) {
      this.#options.desk.say(
        `${wrong.label}: ${printable(given)} is not accepted: ${stopped(printable(this.#error(wrong) ?? ''))}`,
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

  async #question(field: Field, canGoBack: boolean): Promise<Step> {
    const { desk } = this.#options;
    const { verb } = this.#request;
    const given = this.#answers.get(field.name);
    if (field.kind === 'switch') return this.#switch(field, canGoBack);
    const kept =
      given === undefined
        ? field.required
          ? ''
          : ' Enter alone leaves it out.'
        : ` Enter alone keeps ${printable(given)}.`;
    desk.say(`${capitalised(field.says)}.${kept}`);
    for (;;) {
      const answer = await ask(desk, `${field.label}: `, {
        keepLines: field.kind === 'keys',
        ...(field.kind === 'keys' ? {} : { candidates: (typed: string) => this.#candidates(field, typed) }),
      });
      if (answer === undefined) return 'give-up';
      const typed = answer.trim();
      if (typed === 'back' && canGoBack) return 'back';
      if (typed === 'done' && !(field.required && given === undefined)) return 'skip-all';
      if (typed === '' && (given !== undefined || !field.required)) return 'next';
      const { error, about } = judge(verb, field, typed);
      if (error === undefined) {
        this.#answers.set(field.name, typed);
        if (about !== undefined) desk.say(`That is ${printable(about)}.`);
        return 'next';
      }
      desk.say(`Not accepted: ${stopped(printable(error))}`);
    }
  }

  /** On, off, or as the configuration has it. */
  async #switch(field: Field, canGoBack: boolean): Promise<Step> {
    const { desk } = this.#options;
    const now = this.#answers.get(field.name);
    const choices = ['', 'yes', 'no'];
    const at = now === undefined ? 1 : choices.indexOf(now) + 1;
    desk.say(`${stopped(capitalised(field.says))}\n1. as configured\n2. yes\n3. no`);
    for (;;) {
      const answer = await ask(desk, `Number for ${field.label}, or Enter for ${at}: `);
      if (answer === undefined) return 'give-up';
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
      desk.say('Not accepted: the numbers are 1, 2 and 3.');
    }
  }

  /** Everything once more, before anything is done. */
  async #last(): Promise<Step> {
    const { desk } = this.#options;
    const { verb } = this.#request;
    const given = this.#fields.flatMap((field) => {
      const text = this.#answers.get(field.name);
      if (text === undefined) return [];
      return [`${field.label} ${printable(judge(verb, field, text).about ?? text)}`];
    });
    desk.say(`You gave: ${given.join(', ')}.`);
    for (;;) {
      const answer = await ask(desk, `Enter to ${verb.name}, or "back": `);
      if (answer === undefined) return 'give-up';
      const typed = answer.trim().toLowerCase();
      if (typed === '' || typed === 'done' || typed === 'yes') return 'next';
      if (typed === 'back') return 'back';
      desk.say('Not accepted: Enter alone does it, "back" goes back, Ctrl-C gives up.');
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

  /** Of several that may each be left out, one has to be given. */
  #missing(): readonly string[] | undefined {
    const oneOf = this.#request.verb.form?.oneOf;
    return oneOf?.every((name) => !this.#answers.has(name)) === true ? oneOf : undefined;
  }

  #input(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(
      this.#fields.flatMap((field) => {
        const raw = rawValue(field, this.#answers.get(field.name) ?? '');
        return raw === undefined ? [] : [[field.name, raw] as const];
      }),
    );
  }
}
