/**
 * What is found on disk when a journal is opened: where its end is, and whether the last write was interrupted. Only
 * the last segment is read, so this takes the same time however long the history is. Nothing is changed here.
 */
import { checkLine, genesis, headOf, type ChainHead, type JournalRecord } from './chain.ts';
import { contradicts, lacksRecords, readHeadFile } from './headFile.ts';
import { damaged, type Place } from './problems.ts';
import { firstGap, listSegments, readLines, segmentName, segmentPath } from './segments.ts';

/**
 * An interrupted write that was cut off: the segment's file name, and how many bytes. They had not been acknowledged.
 */
export interface Repair {
  readonly segment: string;
  readonly bytes: number;
}

export interface Ending {
  /** The segment to go on with. */
  readonly segment: number;
  /** How much of it is good, in bytes; what stands behind is to be cut off. */
  readonly goodBytes: number;
  readonly head: ChainHead;
  /** A segment that was begun and not finished, to be removed. */
  readonly unfinished?: number;
  readonly repair?: Repair;
}

interface Scan {
  /** Undefined where not even the first record is whole. */
  readonly head: ChainHead | undefined;
  readonly goodBytes: number;
  readonly tornBytes: number;
}

/**
 * The end of the journal in `folder`, or undefined where there is none yet. A last line that was not written to its end
 * is reported for cutting off. Rejects with `journal-damaged` for everything else that is wrong: a line that is not
 * JSON before the last, a broken chain in the last segment, a missing segment, and an end that `head.json` contradicts.
 */
export async function findEnding(folder: string): Promise<Ending | undefined> {
  const noted = await readHeadFile(folder);
  const segments = await listSegments(folder);
  const gap = firstGap(segments);
  if (gap !== undefined) throw damaged(folder, { segment: segmentName(gap), line: 0 }, 'the segment is missing');
  const last = segments.at(-1);
  if (last !== undefined) return endingAt(folder, last, noted);
  ensureWhole(folder, { segment: segmentName(1), line: 0 }, genesis, noted);
  return undefined;
}

function ensureWhole(folder: string, place: Place, head: ChainHead, noted: ChainHead | undefined): void {
  const why = lacksRecords(head, noted);
  if (why !== undefined) throw damaged(folder, { ...place, seq: head.seq + 1 }, why);
}

async function endingAt(folder: string, last: number, noted: ChainHead | undefined): Promise<Ending | undefined> {
  const scan = await scanSegment(folder, last, noted);
  const repair = scan.tornBytes === 0 ? {} : { repair: { segment: segmentName(last), bytes: scan.tornBytes } };
  if (scan.head !== undefined) return { segment: last, goodBytes: scan.goodBytes, head: scan.head, ...repair };
  // The process ended while it began this segment. Nothing in it was acknowledged, and the one before is whole.
  if (last === 1) ensureWhole(folder, { segment: segmentName(1), line: 1 }, genesis, noted);
  if (last === 1) return { segment: 0, goodBytes: 0, head: genesis, unfinished: last, ...repair };
  const before = await scanSegment(folder, last - 1, noted);
  if (before.head === undefined || before.tornBytes > 0) {
    throw damaged(
      folder,
      { segment: segmentName(last - 1), line: 0 },
      'its last line is incomplete, and another segment follows',
    );
  }
  return { segment: last - 1, goodBytes: before.goodBytes, head: before.head, unfinished: last, ...repair };
}

async function scanSegment(folder: string, segment: number, noted: ChainHead | undefined): Promise<Scan> {
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
      const why = (first ? wrongBeginning(check.record, noted) : undefined) ?? contradicts(headOf(check.record), noted);
      if (why !== undefined) throw damaged(folder, { ...place, seq: check.record.seq }, why);
      head = headOf(check.record);
      goodBytes = end;
      first = false;
    }
  }
  if (first || head === undefined) return { head: undefined, goodBytes, tornBytes: end };
  ensureWhole(folder, { segment: name, line: torn?.line ?? lastLine + 1 }, head, noted);
  return { head, goodBytes, tornBytes: end - goodBytes };
}

/**
 * The record before a segment's first is in another file; what is known of it without reading that file is what
 * `head.json` says.
 */
function wrongBeginning(record: JournalRecord, noted: ChainHead | undefined): string | undefined {
  if (record.type !== 'segment') return 'a segment begins with a record of type "segment"';
  return contradicts({ seq: record.seq - 1, hash: record.prev }, noted);
}
