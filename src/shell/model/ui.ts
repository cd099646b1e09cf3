/** What a conversation asks of whatever shows it: Ink on a full terminal, or lines of text for a screen reader. */
import type { AnyVerb } from '../../catalogue/catalogue.ts';
import type { HandedOverTerminal } from '../../domain/terminal.ts';
import type { Item } from '../items/item.ts';
import type { ListRequest } from './listRequest.ts';

/** Something that cannot be undone, and what it takes to go on. */
export interface Confirmation {
  readonly title: string;
  /** What will be lost, one fact a line. */
  readonly facts: readonly (readonly [label: string, value: string])[];
  /** What has to be typed. */
  readonly word: string;
}

export interface FormRequest {
  readonly verb: AnyVerb;
  /** What the command line gave already, as typed. */
  readonly given: Readonly<Record<string, unknown>>;
}

export interface Ui {
  /** Lines of text only: nothing is drawn, and nothing but text is sent. */
  readonly plain: boolean;
  print(item: Item): void;
  /** The state of the conversation is another one. */
  changed(): void;
  /** Resolves with whether the word was typed. */
  confirm(confirmation: Confirmation): Promise<boolean>;
  /** Resolves with the input as typed, or with nothing where it was given up. */
  form(request: FormRequest): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Opens the live list and resolves when it is closed. */
  view(wish: ListRequest): Promise<void>;
  /** Hands the terminal over to a program in a container. */
  handOver(): Promise<HandedOverTerminal>;
  /** Puts a text on the clipboard of the client's machine. */
  copy(text: string): void;
  clear(): void;
  width(): number;
}
