/** Phrases about calls and steps, for screens and screen readers alike. */
import type { EndedCall, RunningCall } from '../../domain/events/notice.ts';
import { quoted } from '../../domain/text.ts';
import type { StepEvent } from '../../domain/events/callEvent.ts';
import { durationInWords, shortDuration } from '../../domain/values/duration.ts';

/** Formats a call: `create alice`. */
export function showCall({ verb, target }: Pick<RunningCall, 'verb' | 'target'>): string {
  return target === null ? verb : `${verb} ${target}`;
}

export function endedSentence(call: EndedCall): string {
  const outcome = call.outcome === 'ok' ? `done in ${shortDuration(call.durationMs)}` : failedWords(call);
  return `${call.actor}: ${showCall(call)}: ${outcome}`;
}

/** Returns `failed: incus: no answer`, without what names the call once more, or `cancelled`. */
export function failedWords(call: EndedCall): string {
  const { failure } = call;
  if (failure?.code === 'cancelled') return 'cancelled';
  const names = [call.verb, showCall(call)].map((name) => quoted(name));
  const what = failure === null || names.includes(failure.what) ? [] : [failure.what];
  return ['failed', ...what, ...(failure === null ? [] : [failure.why])].join(': ');
}

export function stepSentence(step: StepEvent): string {
  const state = step.state === 'begun' ? 'in progress' : `${step.state}, ${durationInWords(step.elapsedMs)}`;
  return `Step ${step.index} of ${step.total}: ${step.title}, ${state}`;
}
