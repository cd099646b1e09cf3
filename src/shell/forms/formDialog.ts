/** A form in place of the composer: fields and a button. A field is checked when the user leaves it. */
import type { AnyVerb } from '../../catalogue/catalogue.ts';
import type { EntryPoint } from '../../domain/access/actor.ts';
import { withOneUser } from '../../catalogue/declaration/several.ts';
import type { Key } from '../composer/keys.ts';
import { insert, lineOf, type Line } from '../composer/line.ts';
import { edited } from '../composer/editKeys.ts';
import type { Keyed } from '../composer/keys.ts';
import type { KnownValues } from '../../catalogue/presentValues.ts';
import { carried, fieldsOf, fieldText, judge, labelsOf, rawValue, type Field, type Judgement } from './fields.ts';

export interface FieldState {
  readonly field: Field;
  readonly line: Line;
  readonly judgement: Judgement;
}

export interface FormState {
  readonly fields: readonly FieldState[];
  /** Index of the active field. The button comes after the last field. */
  readonly at: number;
  /** An error of the form as a whole. */
  readonly error: string | undefined;
}

export interface FormOptions {
  readonly verb: AnyVerb;
  readonly entryPoint: EntryPoint;
  /** Values from the command line, as typed. */
  readonly given: Readonly<Record<string, unknown>>;
  /** What is set now, and what is taken for a field that stays empty. */
  readonly known?: KnownValues | undefined;
  readonly changed: () => void;
  /** Shows the plan of the call with this input, while the form stays. Absent for a verb without a plan. */
  readonly plan?: ((input: Readonly<Record<string, unknown>>) => Promise<unknown>) | undefined;
  /** Called once, with the input as the command line would pass it, or with nothing if the user cancelled. */
  readonly done: (input: Readonly<Record<string, unknown>> | undefined) => void;
}

export class FormDialog implements Keyed {
  readonly kind = 'form';
  readonly verb: AnyVerb;
  readonly #options: FormOptions;
  #state: FormState;
  #isPlanning = false;

  constructor(options: FormOptions) {
    this.#options = options;
    this.verb = options.verb;
    const fields = fieldsOf(options.verb, options.entryPoint, options.given).map((field): FieldState => {
      const text = fieldText(options.given[field.name]);
      return { field, line: lineOf(text), judgement: text === '' ? {} : judge(options.verb, field, text) };
    });
    this.#state = { fields, at: firstToFill(fields), error: undefined };
  }

  /** What is known of a field's value: `now 4GiB, default 8GiB`. Empty if nothing is. */
  about({ name }: Field): string {
    const { now, defaults } = this.#options.known ?? {};
    return [
      ...(now?.[name] === undefined ? [] : [`now ${now[name]}`]),
      ...(defaults?.[name] === undefined ? [] : [`default ${defaults[name]}`]),
    ].join(', ');
  }

  get hasPlan(): boolean {
    return this.#options.plan !== undefined;
  }

  get state(): FormState {
    return this.#state;
  }

  /** The preferred number of rows: title, fields, explanation, button, keys. An error may take three rows. */
  get height(): number {
    const { fields, at, error } = this.#state;
    const isWrong = error !== undefined || fields[at]?.judgement.error !== undefined;
    return fields.length + (isWrong ? 6 : 4);
  }

  key({ name, text }: Key): void {
    const { at, fields } = this.#state;
    const current = fields[at];
    switch (name) {
      case 'escape':
      case 'ctrl-c':
        return this.#options.done(undefined);
      case 'down':
      case 'tab':
      case 'ctrl-n':
        return this.#leave(at + 1);
      case 'up':
      case 'shift-tab':
      case 'ctrl-p':
        return this.#leave(at - 1);
      case 'enter':
        return current === undefined ? this.#submit(this.#options.done) : this.#leave(at + 1);
      case 'ctrl-t':
        return this.#plan();
      default:
    }
    if (current === undefined) return;
    if (current.field.kind === 'switch') {
      if (name === 'left' || name === 'right' || (name === 'text' && text === ' '))
        this.#edit(at, lineOf(nextChoice(current.line.text)));
      else if (name === 'text' && /^[yn]/i.test(text)) this.#edit(at, lineOf(/^y/i.test(text) ? 'yes' : 'no'));
      else if (name === 'backspace') this.#edit(at, lineOf(''));
      return;
    }
    if (name === 'text') return this.#edit(at, insert(current.line, text));
    const line = edited(current.line, name);
    if (line !== undefined) this.#edit(at, line);
  }

  /** Inserts a paste into the field as text. In a key field, line breaks stay: one key per line. */
  paste(text: string): void {
    const { at, fields } = this.#state;
    const current = fields[at];
    if (current === undefined || current.field.kind === 'switch') return;
    const keys = current.field.kind === 'keys';
    const clean = text
      .replace(/\r\n?/g, '\n')
      .replace(keys ? /[^\P{Cc}\n]/gu : /\p{Cc}+/gu, keys ? '' : ' ')
      .trim();
    this.#edit(at, insert(current.line, clean));
    // Shows the type and fingerprint of a pasted key at once.
    if (keys) this.#judge(at);
  }

  #edit(at: number, line: Line): void {
    const fields = this.#state.fields.map((field, i) => (i === at ? { ...field, line, judgement: {} } : field));
    this.#set({ ...this.#state, fields, error: undefined });
  }

  #judge(at: number): void {
    const fields = this.#state.fields.map((state, i) =>
      i === at ? { ...state, judgement: judge(this.verb, state.field, state.line.text) } : state,
    );
    this.#set({ ...this.#state, fields });
  }

  /** Checks the field and moves on, even if it has an error. */
  #leave(to: number): void {
    const { at, fields } = this.#state;
    if (at < fields.length) this.#judge(at);
    this.#set({ ...this.#state, at: Math.max(0, Math.min(fields.length, to)) });
  }

  /** Shows the plan, unless one is being made: a key that is held down, or a flood of it, asks once. */
  #plan(): void {
    const { plan } = this.#options;
    if (plan === undefined || this.#isPlanning) return;
    this.#submit((input) => {
      this.#isPlanning = true;
      void plan(input).finally(() => (this.#isPlanning = false));
    });
  }

  /** Checks all fields, and passes their input on if none has an error. */
  #submit(accept: (input: Readonly<Record<string, unknown>>) => void): void {
    const judged = this.#state.fields.map((state) => ({
      ...state,
      judgement: judge(this.verb, state.field, state.line.text),
    }));
    const wrong = judged.findIndex(({ judgement }) => judgement.error !== undefined);
    if (wrong !== -1) return this.#set({ fields: judged, at: wrong, error: undefined });
    const given = judged
      .map(({ field, line }) => [field.name, rawValue(field, line.text)] as const)
      .filter(([, value]) => value !== undefined);
    const fields = judged.map(({ field }) => field);
    const input: Readonly<Record<string, unknown>> = {
      ...carried(fields, this.#options.given),
      ...Object.fromEntries(given),
    };
    const oneOf = this.verb.form?.oneOf;
    if (oneOf?.every((name) => input[name] === undefined) === true) {
      return this.#set({
        fields: judged,
        at: judged.findIndex(({ field }) => oneOf.includes(field.name)),
        error: `fill in at least one of ${labelsOf(fields, oneOf).join(', ')}`,
      });
    }
    accept(withOneUser(this.verb, input));
  }

  #set(state: FormState): void {
    this.#state = state;
    this.#options.changed();
  }
}

/** Returns the index of the field to begin with: a wrong one, or the first one that is empty. */
function firstToFill(fields: readonly FieldState[]): number {
  const tests: readonly ((state: FieldState) => boolean)[] = [
    ({ judgement }) => judgement.error !== undefined,
    ({ field, line }) => field.required && line.text === '',
    ({ line }) => line.text === '',
  ];
  return tests.map((test) => fields.findIndex(test)).find((index) => index !== -1) ?? 0;
}

/** Returns the next state of a switch: yes, no, or as configured (empty). */
function nextChoice(now: string): string {
  return now === '' ? 'yes' : now === 'yes' ? 'no' : '';
}
