/** The interface between a shell and its display: Ink on a full terminal, or lines of text for a screen reader. */
import type { AnyVerb } from '../../catalogue/catalogue.ts';
import type { KnownValues } from '../../catalogue/presentValues.ts';
import type { HandedOverTerminal } from '../../domain/terminal.ts';
import type { Item } from '../items/item.ts';
import type { ListRequest } from './listRequest.ts';

/** A question before a change that cannot be undone. */
export interface Confirmation {
  readonly title: string;
  /** What will be lost, one fact per line. */
  readonly facts: readonly (readonly [label: string, value: string])[];
  /** The word that the user must type. */
  readonly word: string;
}

export interface FormRequest {
  readonly verb: AnyVerb;
  /** Values from the command line, as typed. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly known?: KnownValues;
  /** Shows the plan of the call with this input. Absent for a verb without a plan. */
  readonly plan?: (input: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

export interface Ui {
  /** Screen-reader mode: only lines of text, no control sequences. */
  readonly plain: boolean;
  print(item: Item): void;
  /** Called when the state of the shell has changed. */
  changed(): void;
  /** Resolves with true if the user typed the word. */
  confirm(confirmation: Confirmation): Promise<boolean>;
  /** Resolves with the input as typed, or with nothing if the user cancelled. */
  form(request: FormRequest): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Adds a line to the earlier ones, though it was not typed as a whole: what a form has made of it. */
  remember(line: string): void;
  /** Opens the live list. Resolves when it is closed. */
  view(request: ListRequest): Promise<void>;
  /** Hands the terminal to a program in a container. */
  handOver(): Promise<HandedOverTerminal>;
  /** Sends a clipboard sequence to the terminal. */
  copy(text: string): void;
  clear(): void;
  width(): number;
}
