/** A form in the place of the composer: fields, checked when they are left, and a button. Knows nothing of screens. */
import type { AnyVerb } from '../../catalogue/catalogue.ts';
import type { EntryPoint } from '../../domain/access/actor.ts';
import type { Key } from '../composer/keys.ts';
import { insert, lineOf, type Line } from '../composer/line.ts';
import { edits } from '../composer/fieldKeys.ts';
import type { Keyed } from '../composer/keys.ts';
import { fieldsOf, judge, rawValue, type Field, type Judgement } from './fields.ts';

export interface FieldState {
  readonly field: Field;
  readonly line: Line;
  readonly judgement: Judgement;
}

export interface FormState {
  readonly fields: readonly FieldState[];
  /** Index of the field that has the keys; one more is the button. */
  readonly at: number;
  /** What is wrong with the whole. */
  readonly error: string | undefined;
}

export interface FormOptions {
  readonly verb: AnyVerb;
  readonly entryPoint: EntryPoint;
  /** What is known already, as typed. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly changed: () => void;
  /** Called once: with the input as the command line would give it, or with nothing where the form was given up. */
  readonly done: (input: Readonly<Record<string, unknown>> | undefined) => void;
}

export class FormDialog implements Keyed {
  readonly kind = 'form';
  readonly verb: AnyVerb;
  readonly #options: FormOptions;
  #state: FormState;

  constructor(options: FormOptions) {
    this.#options = options;
    this.verb = options.verb;
    const fields = fieldsOf(options.verb, options.entryPoint).map((field): FieldState => {
      const text = typed(options.given[field.name]);
      return { field, line: lineOf(text), judgement: text === '' ? {} : judge(options.verb, field, text) };
    });
    const first = fields.findIndex(({ field, line }) => field.required && line.text === '');
    this.#state = { fields, at: Math.max(0, first), error: undefined };
  }

  get state(): FormState {
    return this.#state;
  }

  /** Rows it would like to have: title, fields, what is said about the current one, button, keys. */
  get height(): number {
    return this.#state.fields.length + 4;
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
        return current === undefined ? this.#submit() : this.#leave(at + 1);
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
    const change = edits[name];
    if (change !== undefined) this.#edit(at, change(current.line));
  }

  /** A paste goes into the field, whatever is in it: the lines of several keys stay apart. */
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
    // A key shows at once what it is.
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

  /** Checks the field that is left; the form does not hold anybody in it. */
  #leave(to: number): void {
    const { at, fields } = this.#state;
    if (at < fields.length) this.#judge(at);
    this.#set({ ...this.#state, at: Math.max(0, Math.min(fields.length, to)) });
  }

  #submit(): void {
    const judged = this.#state.fields.map((state) => ({
      ...state,
      judgement: judge(this.verb, state.field, state.line.text),
    }));
    const wrong = judged.findIndex(({ judgement }) => judgement.error !== undefined);
    if (wrong !== -1) return this.#set({ fields: judged, at: wrong, error: undefined });
    const given = judged
      .map(({ field, line }) => [field.name, rawValue(field, line.text)] as const)
      .filter(([, value]) => value !== undefined);
    const input = Object.fromEntries(given);
    const oneOf = this.verb.form?.oneOf;
    if (oneOf?.every((name) => input[name] === undefined) === true) {
      return this.#set({
        fields: judged,
        at: judged.findIndex(({ field }) => oneOf.includes(field.name)),
        error: `fill in at least one of ${oneOf.join(', ')}`,
      });
    }
    this.#options.done(input);
  }

  #set(state: FormState): void {
    this.#state = state;
    this.#options.changed();
  }
}

/** A switch is on, off, or left to the configuration. */
function nextChoice(now: string): string {
  return now === '' ? 'yes' : now === 'yes' ? 'no' : '';
}

/** What the command line gave, as a field's text. */
export function typed(given: unknown): string {
  if (typeof given === 'boolean') return given ? 'yes' : 'no';
  if (Array.isArray(given)) return given.join(' ');
  return typeof given === 'string' && given !== '-' ? given : '';
}
