/** Checks a whole journal, record by record, and reports the first bad one. */
import { Failure } from '../domain/failure.ts';
import { checkLine, genesis, headOf, type ChainHead } from './chain.ts';
import { contradicts, headFileName, lacksRecords, readHeadFile } from './headFile.ts';
import { firstGap, listSegments, readLines, segmentName, segmentPath } from './segments.ts';

/** The first deviation from what was written. */
export interface BadRecord {
  /** The segment's file name, or `head.json`. */
  readonly segment: string;
  /** Counted from 1; 0 when the whole file is missing. */
  readonly line: number;
  /** The number of the record expected there. */
  readonly seq?: number;
  readonly reason: string;
}

export type Verification =
  | {
      readonly ok: true;
      readonly records: number;
      readonly segments: number;
      readonly head: ChainHead;
      /** True if `head.json` confirms the end. Without that file a missing end goes unnoticed. */
      readonly endKnown: boolean;
      /**
       * Bytes after the last record, of a running write or one that a crash interrupted. They were not acknowledged.
       */
      readonly incompleteBytes: number;
    }
  | {
      readonly ok: false;
      /** Number of good records before the bad one. */
      readonly records: number;
      readonly firstBad: BadRecord;
    };

/**
 * Verifies a journal: the hash, number and predecessor of every line, that no segment is missing, and the end against
 * `head.json`. The memory used does not depend on the size of the journal or of its lines. May run while records are
 * appended.
 *
 * Rejects with `not-found` without a journal, `journal-unwritable` if it cannot be read, and `cancelled`.
 */
export async function verifyJournal(folder: string, signal?: AbortSignal): Promise<Verification> {
  let fileHead: ChainHead | undefined;
  try {
    // Read before the segments, which may grow meanwhile: they may be ahead of head.json, but not behind.
    fileHead = await readHeadFile(folder);
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
          // Only an unfinished write may leave this: in the last segment, with all acknowledged records before it.
          if (!isLast || fileHead === undefined || head.seq < fileHead.seq)
            return bad('the line is incomplete: the file was cut off within it');
          incompleteBytes = bytes.length;
          continue;
        }
        const check = checkLine(bytes, head);
        if (!check.ok) return bad(check.reason);
        if (number === 1 && check.record.type !== 'segment')
          return bad('a segment begins with a record of type "segment"');
        const why = contradicts(headOf(check.record), fileHead);
        if (why !== undefined) return bad(why);
        head = headOf(check.record);
        end = { segment: name, line: number + 1 };
      }
    }
    const isEmpty = end.line === 1 && incompleteBytes === 0;
    // A crash may leave an empty segment, but only as the last one.
    if (isEmpty && !isLast) return bad('the segment is empty');
  }
  if (gap !== undefined) return bad('the segment is missing', { segment: segmentName(gap), line: 0 });
  const why = lacksRecords(head, fileHead);
  if (why !== undefined) return bad(why);
  return {
    ok: true,
    records: head.seq,
    segments: segments.length,
    head,
    endKnown: fileHead !== undefined,
    incompleteBytes,
  };
}
