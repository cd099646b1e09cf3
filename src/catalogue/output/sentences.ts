/** A failure as the sentences that a person reads. */
import type { FailureData } from '../../domain/failure.ts';
import { printableLines } from '../../domain/text.ts';

export function failureSentences(failure: FailureData): string {
  const lines = [
    `Error: ${failure.what}: ${failure.why} (${failure.code})`,
    ...(failure.next === undefined ? [] : [`Next: ${failure.next}`]),
  ];
  // Indents further lines, as in the messages of programs, so that none of them looks like our "Next:".
  return `${lines.map((line) => printableLines(line).replaceAll('\n', '\n  ')).join('\n')}\n`;
}
