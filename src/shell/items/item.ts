/** What the conversation consists of: finished things, each written once. */
import type { Block } from '../../catalogue/declaration/view.ts';
import type { FailureData } from '../../domain/failure.ts';
import type { EndedCall } from '../../domain/events/notice.ts';
import type { StepEvent } from '../../domain/events/callEvent.ts';

export type Item =
  /** What was typed. */
  | { readonly kind: 'command'; readonly line: string }
  /** An answer. */
  | { readonly kind: 'blocks'; readonly blocks: readonly Block[] }
  /** The steps of a verb that has ended. */
  | { readonly kind: 'steps'; readonly steps: readonly StepEvent[]; readonly notes: readonly string[] }
  | { readonly kind: 'failure'; readonly failure: FailureData }
  /** What another admin did. */
  | { readonly kind: 'ended'; readonly call: EndedCall; readonly meanwhile: boolean }
  | { readonly kind: 'said'; readonly name: string; readonly text: string }
  | { readonly kind: 'note'; readonly text: string }
  /** Text as it came, such as a log or a JSON document. */
  | { readonly kind: 'raw'; readonly text: string };
