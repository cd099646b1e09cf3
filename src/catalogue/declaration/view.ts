/** Views: results as blocks of data, which a renderer turns into text. A verb never writes to a terminal. */

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'quiet';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Importance when there is not enough room for all columns; 1 is the highest. Defaults to the column's position. */
  readonly priority?: number;
}

/** A graphical form of a value, shown beside its text in full-screen views. */
export interface Drawing {
  /** A bar: a fraction from 0 to 1. */
  readonly ratio?: number;
  /** A curve: values over time, oldest first. */
  readonly series?: readonly number[];
}

export type Field = readonly [label: string, value: string, drawing?: Drawing];

export type Block =
  | {
      readonly kind: 'table';
      /** What stands before the first column if it is `USER`, when rows become sentences: `Container of`. */
      readonly noun?: string;
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly string[])[];
      readonly empty: string;
    }
  | { readonly kind: 'fields'; readonly title?: string; readonly fields: readonly Field[] }
  | { readonly kind: 'text'; readonly text: string; readonly tone?: Tone }
  /** Text to copy unchanged, such as an ssh configuration. */
  | { readonly kind: 'verbatim'; readonly title?: string; readonly text: string };

export interface ViewContext {
  readonly now: Date;
  /** On a terminal, times are relative and sizes rounded; elsewhere both are exact. */
  readonly terminal: boolean;
}

/** A flat table for CSV. */
export interface Rows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
}
