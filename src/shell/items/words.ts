/** Phrases about calls and steps, for screens and screen readers alike. */
import type { EndedCall, RunningCall } from '../../domain/events/notice.ts';
import type { StepEvent } from '../../domain/events/callEvent.ts';

/** Formats a duration: `2.9 s`, `1 min 5 s`. */
export function showDuration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Formats a call: `create alice`. */
export function showCall({ verb, target }: Pick<RunningCall, 'verb' | 'target'>): string {
  return target === null ? verb : `${verb} ${target}`;
}

export function endedSentence(call: EndedCall): string {
  const outcome =
    call.outcome === 'ok'
      ? `done in ${showDuration(call.durationMs)}`
      : `failed: ${call.failure?.what ?? ''}: ${call.failure?.why ?? ''}`;
  return `${call.actor}: ${showCall(call)}: ${outcome}`;
}

export function stepSentence(step: StepEvent): string {
  const state = step.state === 'begun' ? 'in progress' : `${step.state}, ${showDuration(step.elapsedMs)}`;
  return `Step ${step.index} of ${step.total}: ${step.title}, ${state}`;
}
