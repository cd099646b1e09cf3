/** Events that a running call sends to its caller before the result. */

/** Progress of one step of an operation. */
export interface StepEvent {
  /** Starts at 1. */
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
  /** A part of a streamed result. */
  | { readonly type: 'output'; readonly text: string };
