/** Checks a whole journal, record by record, and names the first bad one. */
import { Failure } from '../domain/failure.ts';
import { checkLine, genesis, headOf, type ChainHead } from './chain.ts';
import { contradicts, headFileName, lacksRecords, readHeadFile } from './headFile.ts';
import { firstGap, listSegments, readLines, segmentName, segmentPath } from './segments.ts';

/** The first thing that is not as it was written. */
export interface BadRecord {
  /** The segment's file name, or `head.json`. */
  readonly segment: string;
  /** Counted from 1; 0 when the whole file is missing. */
  readonly line: number;
  /** The number of the record that should stand there. */
  readonly seq?: number;
  readonly reason: string;
}

export type Verification =
  | {
      readonly ok: true;
      readonly records: number;
      readonly segments: number;
      readonly head: ChainHead;
      /** Whether `head.json` vouches for the end. Without that file a cut-off end cannot be told. */
      readonly endKnown: boolean;
      /** Bytes after the last record: a write under way, or one interrupted by a crash. They were not acknowledged. */
      readonly incompleteBytes: number;
    }
  | {
      readonly ok: false;
      /** How many records before the bad one are good. */
      readonly records: number;
      readonly firstBad: BadRecord;
    };

/**
 * Reads all segments in order and checks each line's hash, number and predecessor, that no segment is missing, and the
 * end against `head.json`. Memory does not depend on the journal's size nor on the length of a line. May run while
 * records are appended.
 *
 * Rejects with `not-found` without a journal, `journal-unwritable` when it cannot be read, and `cancelled`.
 */
export async function verifyJournal(folder: string, signal?: AbortSignal): Promise<Verification> {
  let noted: ChainHead | undefined;
  try {
    // Before the segments: those may grow while they are read, and are then ahead of it.
    noted = await readHeadFile(folder);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'journal-damaged') throw error;
    return { ok: false, records: 0, firstBad: { segment: headFileName, line: 1, reason: error.why } };
  }
  const segments = await listSegments(folder);
  const gap = firstGap(segments);
  const whole = gap === undefined ? segments : segments.slice(0, gap - 1);
  let head = genesis;
  let end = { segment: segmentName(1), line: 0 };
  let incompleteBytes = 0;
  const bad = (reason: string, at = end): Verification => ({
    ok: false,
    records: head.seq,
    firstBad: { ...at, seq: head.seq + 1, reason },
  });
  for (const segment of whole) {
    const name = segmentName(segment);
    const isLast = gap === undefined && segment === segments.at(-1);
    end = { segment: name, line: 1 };
    for await (const lines of readLines(segmentPath(folder, segment), { signal })) {
      for (const { number, bytes, form } of lines) {
        end = { segment: name, line: number };
        if (form === 'too-long') return bad('the line is longer than any record can be');
        if (form === 'incomplete') {
          // Fewer records than were acknowledged, or no way to know: then it is not just a write that was never
          // finished.
          if (!isLast || noted === undefined || head.seq < noted.seq)
            return bad('the line is incomplete: the file was cut off within it');
          incompleteBytes = bytes.length;
          continue;
        }
        const check = checkLine(bytes, head);
        if (!check.ok) return bad(check.reason);
        if (number === 1 && check.record.type !== 'segment')
          return bad('a segment begins with a record of type "segment"');
        const why = contradicts(headOf(check.record), noted);
        if (why !== undefined) return bad(why);
        head = headOf(check.record);
        end = { segment: name, line: number + 1 };
      }
    }
    const isEmpty = end.line === 1 && incompleteBytes === 0;
    // A segment that was begun and not written is what a crash may leave, but only as the last one.
    if (isEmpty && !isLast) return bad('the segment is empty');
  }
  if (gap !== undefined) return bad('the segment is missing', { segment: segmentName(gap), line: 0 });
  const why = lacksRecords(head, noted);
  if (why !== undefined) return bad(why);
  return {
    ok: true,
    records: head.seq,
    segments: segments.length,
    head,
    endKnown: noted !== undefined,
    incompleteBytes,
  };
}
