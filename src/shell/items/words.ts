/** Phrases about calls and steps, for screens and screen readers alike. */
import type { EndedCall, RunningCall } from '../../domain/events/notice.ts';
import type { StepEvent } from '../../domain/events/callEvent.ts';
import { durationInWords, shortDuration } from '../../domain/values/duration.ts';

/** Formats a call: `create alice`. */
export function showCall({ verb, target }: Pick<RunningCall, 'verb' | 'target'>): string {
  return target === null ? verb : `${verb} ${target}`;
}

export function endedSentence(call: EndedCall): string {
  const outcome =
    call.outcome === 'ok'
      ? `done in ${shortDuration(call.durationMs)}`
      : `failed: ${call.failure?.what ?? ''}: ${call.failure?.why ?? ''}`;
  return `${call.actor}: ${showCall(call)}: ${outcome}`;
}

export function stepSentence(step: StepEvent): string {
  const state = step.state === 'begun' ? 'in progress' : `${step.state}, ${durationInWords(step.elapsedMs)}`;
  return `Step ${step.index} of ${step.total}: ${step.title}, ${state}`;
}
