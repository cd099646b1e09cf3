/** What `--verbose` adds to an answer, as lines for standard error. */
import type { Answer } from '../catalogue/render.ts';
import type { FailureData } from '../domain/failure.ts';
import { printable, safeJson } from '../domain/text.ts';
import { shortDuration } from '../domain/values/duration.ts';

/** Returns the record of the call in the journal, the time that it took, and the details of its failure. */
export function moreDetail(journal: Answer['journal'], elapsedMs: number, details?: FailureData['details']): string {
  const lines = [
    ...(details === undefined ? [] : [`Details: ${printable(safeJson(details))}`]),
    ...(journal === undefined ? [] : [`Journal: record ${journal.seq}, hash ${journal.hash}`]),
    `Time: ${shortDuration(elapsedMs)}`,
  ];
  return `${lines.join('\n')}\n`;
}
