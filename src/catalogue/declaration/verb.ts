/** The declaration of a verb, for the parser, the shell, help, completion, the permission check and the journal. */
import * as z from 'zod';
import type { EntryPoint, Role } from '../../domain/access/actor.ts';
import type { CandidateKind } from '../../domain/events/candidate.ts';
import { Failure, type ExitName } from '../../domain/failure.ts';
import { lazily } from '../../domain/lazily.ts';
import type { Block, Rows, ViewContext } from './view.ts';

/** The source of completions for a value. The catalogue knows the verbs, core everything else. */
export type Completer = CandidateKind | 'verbs';

export interface Argument {
  readonly kind: 'argument';
  readonly name: string;
  readonly summary: string;
  /** `manage`: required except at self@, where the caller's own container is the default. */
  readonly required: boolean | 'manage';
  /** At self@ it is an option, because the arguments after it are what an owner types. */
  readonly optionAtSelf?: true;
  /** Takes all remaining words. */
  readonly rest?: boolean;
  /** Options that make it unnecessary: with one of them it may be left out. */
  readonly unless?: readonly string[];
  readonly complete?: Completer;
  /** Selects what is shown: an empty result names it. */
  readonly narrows?: true;
  /** The name of a new object, which must not exist yet. */
  readonly isNew?: boolean;
}

export interface Option {
  readonly kind: 'option';
  /** The property of the input that this option sets. */
  readonly name: string;
  /** Long names without dashes, the documented one first. */
  readonly long: readonly [string, ...string[]];
  readonly short?: string;
  /** The placeholder for the value in help. An option without it is a switch. */
  readonly value?: string;
  /** May be given more than once. */
  readonly repeatable?: boolean;
  /** A switch that also has a `--no-…` form. */
  readonly negatable?: boolean;
  readonly summary: string;
  readonly choices?: readonly string[];
  /** Suggested values; others are allowed. */
  readonly values?: readonly string[];
  readonly complete?: Completer;
  /** Selects what is shown: an empty result names it. */
  readonly narrows?: true;
  /** The value is the path of a file of the caller, whose text becomes the input, or of one that is written. */
  readonly file?: 'read' | 'written';
  /** The value is a public key, which may arrive as several words because ssh joins its arguments with spaces. */
  readonly publicKey?: boolean;
}

export type Parameter = Argument | Option;

/** Reports whether an option was given that makes an argument unnecessary. */
export function isSpared({ unless }: Argument, input: Readonly<Record<string, unknown>>): boolean {
  return unless?.some((name) => input[name] !== undefined) === true;
}

/** Reports whether an argument is required at this entry point. */
export function isRequired({ required }: Argument, entryPoint: EntryPoint): boolean {
  return required === 'manage' ? entryPoint !== 'self' : required;
}

/**
 * Access to a verb by entry point. An entry point that is not named is closed. Root on the host may use every verb of
 * `manage@`.
 */
export interface Access {
  /** The weakest role that may use it at `manage@`. */
  readonly manage?: Exclude<Role, 'owner' | 'root'>;
  /** Whether owners may use it at `self@`, for their own containers. */
  readonly self?: boolean;
}

/** The confirmation that a verb needs before it runs: none, or typing the name of its target. */
export type Danger = 'none' | 'type-name';

export interface Example {
  /** The command after `ssh -p 2222 manage@jump`. */
  readonly line: string;
  readonly says: string;
}

export interface Verb<Input extends z.ZodType = z.ZodType, Result = unknown> {
  /** One or two words: `create`, `key add`. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** A verb phrase without a full stop. */
  readonly summary: string;
  /** Paragraphs for the verb's page. */
  readonly description?: readonly string[];
  readonly examples: readonly Example[];
  readonly access: Access;
  /** Whether it changes anything. Such a call is recorded before it runs, and refused if it cannot be recorded. */
  readonly changes: boolean;
  readonly danger: Danger;
  /**
   * Ctrl-C ends a call and undoes what it has done: it may take long, and nothing needs it to come to its end. The name
   * of a switch if only calls with that are cancelled.
   */
  readonly isCancellable?: true | string;
  /**
   * What a caller is asked before the verb runs. Without it the word to type is the target's name, and the warning that
   * nothing brings it back.
   */
  readonly confirmation?: {
    /** The property of the input to type, for a verb whose target is not what it endangers. */
    readonly property?: string;
    readonly warning: (input: Readonly<Record<string, unknown>>) => string;
  };
  /** Calls are not recorded, because they change nothing and reveal nothing about the host. */
  readonly unrecorded?: true;
  /** It may read the whole journal, so the calls of one person run one after another. */
  readonly readsHistory?: true;
  /**
   * Calls run without a record, and say so, if the journal cannot be written: they change nothing, and show what has to
   * be mended.
   */
  readonly helpsRepair?: true;
  /** The input read from standard input, unless an option gives it. */
  readonly stdin?: {
    readonly for: string;
    readonly into: string;
    readonly required: boolean;
    /** Options that make standard input unnecessary; with one of them it is not read. */
    readonly unless?: readonly string[];
    /** It is read only if the option is `-`. */
    readonly onlyAsked?: true;
  };
  /** The input property that names the target, which the journal and the shells show. */
  readonly target?: string;
  readonly parameters: readonly Parameter[];
  /** A call may change several containers: `takingSeveral` says how. At self@ it changes one. */
  readonly several?: true;
  /** Makes the schema of the input, once: most processes need those of few verbs, and they take long to make. */
  readonly input: () => Input;
  readonly view: (result: Result, context: ViewContext) => Block[];
  readonly rows?: (result: Result) => Rows;
  /** The part of a result that the shell's `copy` puts into the clipboard. */
  readonly copy?: (result: Result) => string;
  /** The property of a result with files. `--output-dir` writes them to a folder of the caller and leaves them out. */
  readonly files?: keyof Result & string;
  /** The exit code of a result that is not a success although the call worked: differences found, a failed check. */
  readonly exit?: (result: Result) => 'ok' | 'partial' | 'failed';
  /** Exit codes of this verb, besides those of every verb, each with a clause without a full stop for its page. */
  readonly ends?: Readonly<Partial<Record<ExitName, string>>>;
  /** The exit status of the call, for a verb that passes on that of a program. */
  readonly exitStatus?: (result: Result) => number;
  /** Requires a terminal and hands it to a program in the container. */
  readonly handsOverTerminal?: boolean;
  /** Writes bytes to standard output, which must not be a terminal, and its result to standard error. */
  readonly sendsBytes?: true;
  /** The switch that opens a full-screen view instead of printing a result; it requires a terminal. */
  readonly viewSwitch?: string;
  /** The switch with which the output is text that keeps coming: lines of text, or with --json JSON lines. */
  readonly streamSwitch?: string;
  /** The shell may ask for missing input in a form. With `oneOf`, at least one of these properties is required. */
  readonly form?: { readonly oneOf?: readonly string[] };
  /** If the settings require it, allowed over ssh only shortly after a login with a touched FIDO key. */
  readonly wantsTouch?: boolean;
  /**
   * Changes who may come in. Refused over the remote interface unless the settings allow it, so that a compromised
   * remote process lets nobody in.
   */
  readonly grantsAccess?: true;
  /** The command to use instead at the other entry point, where this verb is closed. */
  readonly elsewhere?: string;
  /** Listed when an owner opens a shell at self@. */
  readonly onSelfCard?: true;
  /** The input of a call whose plan is wanted, for a verb that only shows what it would do unless told to do it. */
  readonly planned?: (input: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  /** Set by `planOf`: only the plan of the call is wanted. */
  readonly isPlan?: true;
  /** The front answers calls itself, from the catalogue alone. */
  readonly answeredLocally?: boolean;
}

/** Returns the schema of one property of a verb's input. */
export function fieldSchema({ input }: Pick<Verb, 'input'>, name: string): z.ZodType | undefined {
  const schema = input();
  return schema instanceof z.ZodObject ? (schema.shape as Readonly<Record<string, z.ZodType>>)[name] : undefined;
}

/**
 * Returns the target of a call, for `alice-container` as for `alice` the user's name. Returns null if the verb has no
 * target, or if none was given or an invalid one; the rest of the input need not be valid.
 */
export function targetOf(
  verb: Pick<Verb, 'target' | 'input'>,
  input: Readonly<Record<string, unknown>>,
): string | null {
  const parsed = verb.target === undefined ? undefined : fieldSchema(verb, verb.target)?.safeParse(input[verb.target]);
  return parsed?.success === true ? textOf(parsed.data) : null;
}

/** Returns the text of a name or of a network. */
function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string'
    ? value.text
    : null;
}

/** Returns what the caller must type to confirm a call: a name. Returns null if there is none, or no valid one. */
export function wordToConfirm(
  verb: Pick<Verb, 'target' | 'input' | 'confirmation'>,
  input: Readonly<Record<string, unknown>>,
): string | null {
  const { property } = verb.confirmation ?? {};
  return targetOf(property === undefined ? verb : { ...verb, target: property }, input);
}

/** Returns what to say before a caller confirms. */
export function warningOf(
  { confirmation }: Pick<Verb, 'confirmation'>,
  input: Readonly<Record<string, unknown>>,
): string {
  return confirmation?.warning(input) ?? 'This cannot be undone.';
}

/** Refuses a call whose input names a file of the caller, where the caller's files are out of reach. */
export function refuseFiles(
  { parameters }: Pick<Verb, 'parameters'>,
  input: Readonly<Record<string, unknown>>,
  next: Readonly<Record<'read' | 'written', string>>,
): void {
  for (const parameter of parameters) {
    if (parameter.kind === 'argument' || parameter.file === undefined || input[parameter.name] === undefined) continue;
    throw new Failure('usage', {
      what: `--${parameter.long[0]}`,
      why: 'over ssh it would be a file of the jump host',
      next: next[parameter.file],
    });
  }
}

/** Reports whether a call with this input must read standard input. */
export function wantsStdin({ stdin }: Pick<Verb, 'stdin'>, input: Readonly<Record<string, unknown>>): boolean {
  if (stdin === undefined) return false;
  if (input[stdin.into] === '-') return true;
  if (stdin.onlyAsked === true) return false;
  return input[stdin.into] === undefined && stdin.unless?.some((name) => input[name] !== undefined) !== true;
}

/** Reports whether the input lacks what a form can ask for: a required argument, or one of several options. */
export function lacksValues(
  { form, parameters }: Pick<Verb, 'form' | 'parameters'>,
  input: Readonly<Record<string, unknown>>,
  entryPoint: EntryPoint,
): boolean {
  if (form === undefined) return false;
  const isMissing = parameters.some(
    (parameter) =>
      parameter.kind === 'argument' &&
      isRequired(parameter, entryPoint) &&
      input[parameter.name] === undefined &&
      !isSpared(parameter, input),
  );
  return isMissing || form.oneOf?.every((name) => input[name] === undefined) === true;
}

/** Declares a verb. TypeScript infers the type parameters from the schema and the view. */
export function defineVerb<Input extends z.ZodType, Result>(verb: Verb<Input, Result>): Verb<Input, Result> {
  return { ...verb, input: lazily(verb.input) };
}
