/**
 * What a verb's result looks like, as data: blocks that a renderer turns into terminal text. A verb never writes to a
 * terminal.
 */

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'quiet';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /**
   * Where there is no room for all columns the least important go first; 1 is the most important. Without it: its place
   * in the row.
   */
  readonly priority?: number;
}

/** What a value can be drawn as, beside its text, where there is a screen. */
export interface Drawing {
  /** A bar: how much of the whole, from 0 to 1. */
  readonly ratio?: number;
  /** A curve: values over time, oldest first. */
  readonly series?: readonly number[];
}

export type Field = readonly [label: string, value: string, drawing?: Drawing];

export type Block =
  | {
      readonly kind: 'table';
      /** What a row is about, where its first column is a name: `Container`. Needed where rows are sentences. */
      readonly noun?: string;
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly string[])[];
      readonly empty: string;
    }
  | { readonly kind: 'fields'; readonly title?: string; readonly fields: readonly Field[] }
  | { readonly kind: 'text'; readonly text: string; readonly tone?: Tone }
  /** Text to be copied as it is, such as an ssh configuration. */
  | { readonly kind: 'verbatim'; readonly title?: string; readonly text: string };

export interface ViewContext {
  readonly now: Date;
  /** On a terminal times are relative and sizes human; elsewhere both are exact. */
  readonly terminal: boolean;
}

/** A flat table for CSV. */
export interface Rows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
}
