import type { Block } from '../../catalogue/declaration/view.ts';
import type { FailureData } from '../../domain/failure.ts';
import type { EndedCall } from '../../domain/events/notice.ts';
import type { StepEvent } from '../../domain/events/callEvent.ts';

/** An entry of the transcript. It is written once and never changes. */
export type Item =
  /** A typed line. */
  | { readonly kind: 'command'; readonly line: string }
  /** An answer. */
  | { readonly kind: 'blocks'; readonly blocks: readonly Block[] }
  /** The steps of a call that has ended. */
  | { readonly kind: 'steps'; readonly steps: readonly StepEvent[]; readonly notes: readonly string[] }
  | { readonly kind: 'failure'; readonly failure: FailureData }
  /** A call of another admin that has ended. */
  | { readonly kind: 'ended'; readonly call: EndedCall; readonly meanwhile: boolean }
  | { readonly kind: 'said'; readonly name: string; readonly text: string }
  | { readonly kind: 'note'; readonly text: string }
  /** Text that is not laid out, such as a log or a JSON document. */
  | { readonly kind: 'raw'; readonly text: string };
