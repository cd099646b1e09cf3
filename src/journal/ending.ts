/**
 * Finds the end of the journal when it is opened, and whether the last write was interrupted. Reads only the last
 * segment, so the time does not depend on the length of the history. Changes nothing.
 */
import { readArchivedFile } from './archivedFile.ts';
import { checkLine, genesis, headOf, type ChainHead, type JournalRecord } from './chain.ts';
import { contradicts, lacksRecords, readHeadFile } from './headFile.ts';
import { damaged, type Place } from './failures.ts';
import { firstGap, listSegments, readLines, segmentName, segmentPath } from './segments.ts';

/**
 * An interrupted write that was cut off: the segment's file name, and the number of bytes. They were not acknowledged.
 */
export interface Repair {
  readonly segment: string;
  readonly bytes: number;
}

export interface Ending {
  /** The segment to which the next record is appended. */
  readonly segment: number;
  /** Length of its valid part; the rest has to be cut off. */
  readonly goodBytes: number;
  readonly head: ChainHead;
  /** A segment without a complete first record, which has to be removed. */
  readonly unfinished?: number;
  readonly repair?: Repair;
}

interface Scan {
  /** Undefined if not even the first record is complete. */
  readonly head: ChainHead | undefined;
  readonly goodBytes: number;
  readonly tornBytes: number;
}

/**
 * Returns the end of the journal in `folder`, or undefined if there is none yet. An incomplete last line is reported,
 * to be cut off. Rejects with `journal-damaged` for all other damage: an earlier line that is not JSON, a broken chain
 * in the last segment, a missing segment, or an end that `head.json` contradicts.
 */
export async function findEnding(folder: string): Promise<Ending | undefined> {
  const fileHead = await readHeadFile(folder);
  const archived = await readArchivedFile(folder);
  const segments = await listSegments(folder);
  const gap = firstGap(segments, archived?.segment);
  if (gap !== undefined) throw damaged(folder, { segment: segmentName(gap), line: 0 }, 'the segment is missing');
  const last = segments.at(-1);
  if (last !== undefined) return endingAt(folder, last, fileHead);
  ensureWhole(folder, { segment: segmentName(1), line: 0 }, genesis, fileHead);
  return undefined;
}

function ensureWhole(folder: string, place: Place, head: ChainHead, fileHead: ChainHead | undefined): void {
  const why = lacksRecords(head, fileHead);
  if (why !== undefined) throw damaged(folder, { ...place, seq: head.seq + 1 }, why);
}

async function endingAt(folder: string, last: number, fileHead: ChainHead | undefined): Promise<Ending | undefined> {
  const scan = await scanSegment(folder, last, fileHead);
  const repair = scan.tornBytes === 0 ? {} : { repair: { segment: segmentName(last), bytes: scan.tornBytes } };
  if (scan.head !== undefined) return { segment: last, goodBytes: scan.goodBytes, head: scan.head, ...repair };
  // The process ended while it began this segment. Nothing in it was acknowledged, and the previous one is complete.
  if (last === 1) ensureWhole(folder, { segment: segmentName(1), line: 1 }, genesis, fileHead);
  if (last === 1) return { segment: 0, goodBytes: 0, head: genesis, unfinished: last, ...repair };
  const before = await scanSegment(folder, last - 1, fileHead);
  if (before.head === undefined || before.tornBytes > 0) {
    throw damaged(
      folder,
      { segment: segmentName(last - 1), line: 0 },
      'its last line is incomplete, and another segment follows',
    );
  }
  return { segment: last - 1, goodBytes: before.goodBytes, head: before.head, unfinished: last, ...repair };
}

async function scanSegment(folder: string, segment: number, fileHead: ChainHead | undefined): Promise<Scan> {
  const name = segmentName(segment);
  let head = segment === 1 ? genesis : undefined;
  let first = true;
  let goodBytes = 0;
  let torn: { line: number; reason: string } | undefined;
  let end = 0;
  let lastLine = 0;
  for await (const lines of readLines(segmentPath(folder, segment))) {
    for (const { number, offset, bytes, form } of lines) {
      const place = { segment: name, line: number, ...(head === undefined ? {} : { seq: head.seq + 1 }) };
      if (torn !== undefined) throw damaged(folder, { ...place, line: torn.line }, torn.reason);
      if (form === 'too-long') throw damaged(folder, place, 'the line is longer than any record can be');
      lastLine = number;
      end = offset + bytes.length + (form === 'complete' ? 1 : 0);
      const check = form === 'incomplete' ? undefined : checkLine(bytes, head);
      if (check === undefined || (!check.ok && check.kind === 'unreadable')) {
        torn = { line: number, reason: check?.reason ?? 'the line is incomplete' };
        continue;
      }
      if (!check.ok) throw damaged(folder, place, check.reason);
      const why =
        (first ? wrongBeginning(check.record, fileHead) : undefined) ?? contradicts(headOf(check.record), fileHead);
      if (why !== undefined) throw damaged(folder, { ...place, seq: check.record.seq }, why);
      head = headOf(check.record);
      goodBytes = end;
      first = false;
    }
  }
  if (first || head === undefined) return { head: undefined, goodBytes, tornBytes: end };
  ensureWhole(folder, { segment: name, line: torn?.line ?? lastLine + 1 }, head, fileHead);
  return { head, goodBytes, tornBytes: end - goodBytes };
}

/**
 * Returns what is wrong with the first record of a segment, or undefined. The record before it is in another file,
 * which is not read: `head.json` is the only evidence of its hash.
 */
function wrongBeginning(record: JournalRecord, fileHead: ChainHead | undefined): string | undefined {
  if (record.type !== 'segment') return 'a segment begins with a record of type "segment"';
  return contradicts({ seq: record.seq - 1, hash: record.prev }, fileHead);
}
