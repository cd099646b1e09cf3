/** The messages in the footer of the live list. */
import type { Tone } from '../../../catalogue/declaration/view.ts';
import { Failure } from '../../../domain/failure.ts';
import { shortDuration } from '../../../domain/values/duration.ts';
import { signs } from '../../items/theme.ts';
import type { CallEnd } from '../../model/verbCall.ts';

export interface Message {
  readonly tone: Tone;
  readonly text: string;
}

/** Returns the message about calls that have ended: their duration, or the first failure. */
export function outcomeMessage(lines: readonly string[], ends: readonly CallEnd[], elapsedMs: number): Message {
  const failures = ends.flatMap((end, i) =>
    end.kind === 'failed' ? [{ line: lines[i] ?? '', failure: end.failure }] : [],
  );
  const [first] = failures;
  if (first === undefined) {
    const what = lines.length === 1 ? (lines[0] ?? '') : `${lines.length} commands: ${lines.join(', ')}`;
    return { tone: 'good', text: `${signs.done} ${what} · done in ${shortDuration(elapsedMs)}` };
  }
  const { line, failure } = first;
  const why = `${failure.why}${failure.next === undefined ? '' : `; ${failure.next}`}`;
  if (lines.length === 1) return { tone: 'bad', text: `${signs.failed} ${line}: ${why}` };
  return { tone: 'bad', text: `${signs.failed} ${failures.length} of ${lines.length} failed. ${line}: ${why}` };
}

/** The message after a key that would have confirmed a question, but came before anybody could have read it. */
export const answeredTooEarly: Message = {
  tone: 'warn',
  text: 'Nothing was changed: the answer came before the question could be read. Press the key again.',
};

export const cancelled: Message = { tone: 'quiet', text: 'Cancelled. Nothing was changed.' };

export function commandMessage(lines: readonly string[]): Message {
  return { tone: 'plain', text: `${signs.prompt} ${lines.join(', ')}` };
}

export function failureMessage(error: unknown): Message {
  const { what, why } = Failure.from(error);
  return { tone: 'bad', text: `${what}: ${why}` };
}
