/**
 * How a verb is declared: once, for the command line, the shell, help, completion, the permission check and the journal
 * alike.
 */
import type { z } from 'zod';
import type { EntryPoint, Role } from '../../domain/access/actor.ts';
import type { CandidateKind } from '../../domain/events/candidate.ts';
import type { ExitName } from '../../domain/failure.ts';
import type { Block, Rows, ViewContext } from './view.ts';

/** What completes a value: the catalogue itself knows verbs, core knows the rest. */
export type Completer = CandidateKind | 'verbs';

export interface Argument {
  readonly kind: 'argument';
  readonly name: string;
  readonly summary: string;
  /** `manage`: not at self@, where it goes without saying. */
  readonly required: boolean | 'manage';
  /** Takes all the words that are left. */
  readonly rest?: boolean;
  readonly complete?: Completer;
  /** A name that is made up, and must not be one that exists. */
  readonly isNew?: boolean;
}

export interface Option {
  readonly kind: 'option';
  /** The property of the input that this option sets. */
  readonly name: string;
  /** Long names without dashes, the documented one first. */
  readonly long: readonly [string, ...string[]];
  readonly short?: string;
  /** What stands for the value in help; without it the option is a switch. */
  readonly value?: string;
  /** May be given more than once. */
  readonly repeatable?: boolean;
  /** A switch that has a `--no-…` form. */
  readonly negatable?: boolean;
  readonly summary: string;
  readonly choices?: readonly string[];
  /** Values that are suggested; others are allowed. */
  readonly values?: readonly string[];
  readonly complete?: Completer;
  /** The value is a public key, which may arrive as several words because ssh joins arguments with blanks. */
  readonly publicKey?: boolean;
}

export type Parameter = Argument | Option;

/** Whether an argument has to be given at this door. */
export function isRequired({ required }: Argument, entryPoint: EntryPoint): boolean {
  return required === 'manage' ? entryPoint !== 'self' : required;
}

/**
 * Who may use a verb at each door; a door that is not named is closed. Local mode (root on the host) opens every verb
 * of `manage@`.
 */
export interface Access {
  /** The weakest role that may use it over `manage@`. */
  readonly manage?: Exclude<Role, 'owner' | 'root'>;
  /** Whether a container's owner may use it over `self@`, for their own container. */
  readonly self?: boolean;
}

/** What has to be confirmed before the verb runs: the name of its target. */
export type Danger = 'none' | 'type-name';

export interface Example {
  /** What follows `ssh -p 2222 manage@jump`. */
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
  /** Whether it changes the host: recorded before it runs, and not run when it cannot be recorded. */
  readonly changes: boolean;
  readonly danger: Danger;
  /** Whether calls get no record: they say nothing about the host and change nothing. */
  readonly unrecorded?: true;
  /** What standard input is read for, where no option gives it. */
  readonly stdin?: {
    readonly for: string;
    readonly into: string;
    readonly required: boolean;
    /** Options that make it needless: it is not read where one of them is given. */
    readonly unless?: readonly string[];
  };
  /** The property of the input that names what the verb acts on. Journal and shells show it. */
  readonly target?: string;
  readonly parameters: readonly Parameter[];
  readonly input: Input;
  readonly view: (result: Result, context: ViewContext) => Block[];
  readonly rows?: (result: Result) => Rows;
  /** The exit code of a result that is an answer but not a success: differences found, a check that failed. */
  readonly exit?: (result: Result) => 'ok' | 'partial' | 'failed';
  /**
   * When it ends with which exit code, beyond what every verb may end with: a clause without a full stop, for its page.
   */
  readonly ends?: Readonly<Partial<Record<ExitName, string>>>;
  /** The exit status of a program that it ran, where that is its own. */
  readonly exitStatus?: (result: Result) => number;
  /** Needs a terminal, which it hands to a program in the container. */
  readonly handsOverTerminal?: boolean;
  /** The switch that opens a full-screen view instead of an answer; it needs a terminal. */
  readonly viewSwitch?: string;
  /** A form may ask for what is missing; `oneOf`: one of these has to be given. */
  readonly form?: { readonly oneOf?: readonly string[] };
  /** Over ssh, where the settings ask for it, only soon after a login with a touched FIDO key. */
  readonly wantsTouch?: boolean;
  /** Shown when an owner opens a shell at self@. */
  readonly onSelfCard?: true;
  /** Answered by the front itself, from the catalogue alone. */
  readonly answeredLocally?: boolean;
}

/** What a call acts on, as typed; null where the verb acts on nothing that has a name, or none was given. */
export function targetOf({ target }: Pick<Verb, 'target'>, input: Readonly<Record<string, unknown>>): string | null {
  const value = target === undefined ? undefined : input[target];
  return typeof value === 'string' ? value : null;
}

/** Whether a verb still needs standard input, with what was given already. */
export function wantsStdin({ stdin }: Pick<Verb, 'stdin'>, input: Readonly<Record<string, unknown>>): boolean {
  if (stdin === undefined) return false;
  if (input[stdin.into] === '-') return true;
  return input[stdin.into] === undefined && stdin.unless?.some((name) => input[name] !== undefined) !== true;
}

/** Declares a verb; the type parameters follow from the schema and the view. */
export function defineVerb<Input extends z.ZodType, Result>(verb: Verb<Input, Result>): Verb<Input, Result> {
  return verb;
}
