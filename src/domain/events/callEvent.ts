/** What a running call tells its caller before the answer. */

/** A step of an operation. Times in milliseconds. */
export interface StepEvent {
  /** From 1. */
  readonly index: number;
  readonly total: number;
  readonly title: string;
  readonly state: 'begun' | 'done' | 'failed';
  readonly elapsedMs: number;
  readonly detail?: string | undefined;
}

export type CallEvent =
  | ({ readonly type: 'step' } & StepEvent)
  /** A sentence for the caller. */
  | { readonly type: 'note'; readonly text: string }
  /** A piece of an answer that comes bit by bit. */
  | { readonly type: 'output'; readonly text: string };
