/** Checks a whole journal, record by record, and reports the first bad one. */
import { basename } from 'node:path';
import { isFailure } from '../../domain/failure.ts';
import { archivedFileName, readArchivedFile, type Archived } from '../archivedFile.ts';
import { checkLine, genesis, headOf, type ChainHead, type JournalRecord } from '../chain.ts';
import { contradicts, headFileName, lacksRecords, readHeadFile } from '../headFile.ts';
import type { Line } from '../lines.ts';
import { firstGap, listSegments, readLines, segmentName, segmentPath } from '../segments.ts';
import { readAnchors, type AnchorFile } from './anchors.ts';
import { archivedName, archivedPath, readArchivedLines } from './archivedLines.ts';

/** The first deviation from what was written. */
export interface BadRecord {
  /** The name of the segment, of `head.json`, or of the file of anchors. */
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
      /** Number of records, the archived ones included. */
      readonly records: number;
      /** Number of segments that were read. */
      readonly segments: number;
      /** Number of archived records that were not read. */
      readonly archived: number;
      readonly head: ChainHead;
      /** True if `head.json` confirms the end. Without that file a missing end goes unnoticed. */
      readonly endKnown: boolean;
      /**
       * Bytes after the last record, of a running write or one that a crash interrupted. They were not acknowledged.
       */
      readonly incompleteBytes: number;
      /** Number of anchors that the journal matches; null if no file of anchors was given, or it cannot be read. */
      readonly anchors: number | null;
      /** Why anchors were not compared; null if all were. */
      readonly anchorTrouble: string | null;
    }
  | {
      readonly ok: false;
      /** Number of good records before the bad one. */
      readonly records: number;
      readonly firstBad: BadRecord;
    };

export interface VerifyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Folder of archived segments, which are then checked too. */
  readonly archive?: string | undefined;
  /** File of anchors, which the journal must match (anchors.ts). */
  readonly anchors?: string | undefined;
}

interface SegmentFile {
  readonly name: string;
  readonly isLast: boolean;
  readonly lines: () => AsyncIterable<Line[]>;
}

/**
 * Verifies a journal: the hash, number and predecessor of every line, that no segment is missing, and the end against
 * `head.json`. Where older segments were archived, the first record must follow the last archived one, which a record
 * in the chain names. The memory used does not depend on the size of the journal or of its lines. May run while records
 * are appended.
 *
 * Rejects with `not-found` without a journal, `journal-unwritable` if a file cannot be read, and `cancelled`.
 */
export async function verifyJournal(folder: string, options: VerifyOptions = {}): Promise<Verification> {
  try {
    return await new Verifier(folder, options).verify();
  } catch (error) {
    if (error instanceof Bad) return { ok: false, records: error.records, firstBad: error.bad };
    throw error;
  }
}

/** Thrown at the first bad record. */
class Bad extends Error {
  readonly bad: BadRecord;
  readonly records: number;

  constructor(bad: BadRecord, records: number) {
    super(bad.reason);
    this.bad = bad;
    this.records = records;
  }
}

class Verifier {
  readonly #folder: string;
  readonly #options: VerifyOptions;
  #fileHead: ChainHead | undefined;
  #anchors: AnchorFile | undefined;
  #anchorTrouble: string | null = null;
  #matched = 0;
  /** The last good record; undefined before the first one of a journal whose beginning is archived. */
  #head: ChainHead | undefined = genesis;
  /** The last archived record, if no record has confirmed it yet. */
  #unconfirmed: ChainHead | undefined;
  #archived = 0;
  #end = { segment: segmentName(1), line: 0 };
  #incompleteBytes = 0;

  constructor(folder: string, options: VerifyOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  async verify(): Promise<Verification> {
    const { anchors, archive, signal } = this.#options;
    // Read before the segments, which may grow meanwhile: they may be ahead of these files, but not behind.
    this.#fileHead = await this.#asBad(headFileName, () => readHeadFile(this.#folder));
    if (anchors !== undefined) await this.#readAnchors(anchors);
    const archived = await this.#asBad(archivedFileName, () => readArchivedFile(this.#folder));
    const segments = await listSegments(this.#folder);
    const gap = firstGap(segments, archived?.segment);
    const whole = gap === undefined ? segments : segments.filter((segment) => segment < gap);
    const [first = 1] = segments;
    let read = 0;
    if (first > 1 && archive !== undefined) read += await this.#verifyArchived(archive, first - 1);
    else if (first > 1) this.#head = undefined;
    for (const segment of whole) {
      const path = segmentPath(this.#folder, segment);
      const isLast = gap === undefined && segment === segments.at(-1);
      await this.#verifyFile({ name: segmentName(segment), isLast, lines: () => readLines(path, { signal }) });
      read += 1;
    }
    if (gap !== undefined) throw this.#bad('the segment is missing', { segment: segmentName(gap), line: 0 });
    this.#requireBeginning(segmentName(first), archived);
    return this.#ending(read);
  }

  /** The journal is worth checking without its anchors, which may be on a disk that is away. */
  async #readAnchors(path: string): Promise<void> {
    try {
      this.#anchors = await readAnchors(path, this.#options.signal);
    } catch (error) {
      if (!isFailure(error) || error.code === 'cancelled') throw error;
      this.#anchorTrouble = `${error.what}: ${error.why}`;
    }
  }

  async #asBad<T>(file: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!isFailure(error, 'journal-damaged')) throw error;
      throw new Bad({ segment: file, line: 1, reason: error.why }, 0);
    }
  }

  async #verifyArchived(archive: string, last: number): Promise<number> {
    const { signal } = this.#options;
    for (let segment = 1; segment <= last; segment += 1) {
      const name = archivedName(segment);
      const path = archivedPath(archive, segment);
      try {
        await this.#verifyFile({ name, isLast: false, lines: () => readArchivedLines(path, signal) });
      } catch (error) {
        if (!isFailure(error, 'journal-damaged', 'not-found')) throw error;
        const reason = error.code === 'not-found' ? 'the archived segment is missing' : error.why;
        throw this.#bad(reason, { segment: name, line: 0 });
      }
    }
    return last;
  }

  async #verifyFile({ name, isLast, lines: read }: SegmentFile): Promise<void> {
    this.#end = { segment: name, line: 1 };
    for await (const lines of read())
      for (const { number, bytes, form } of lines) {
        this.#end = { segment: name, line: number };
        if (form === 'too-long') throw this.#bad('the line is longer than any record can be');
        if (form === 'incomplete') {
          // Only an unfinished write may leave this: in the last segment, with all acknowledged records before it.
          if (!isLast || this.#fileHead === undefined || this.#seq < this.#fileHead.seq)
            throw this.#bad('the line is incomplete: the file was cut off within it');
          this.#incompleteBytes = bytes.length;
          continue;
        }
        const check = checkLine(bytes, this.#head);
        if (!check.ok) throw this.#bad(check.reason);
        if (number === 1 && check.record.type !== 'segment')
          throw this.#bad('a segment begins with a record of type "segment"');
        this.#take(check.record);
        this.#end = { segment: name, line: number + 1 };
      }
    const isEmpty = this.#end.line === 1 && this.#incompleteBytes === 0;
    // A crash may leave an empty segment, but only as the last one.
    if (isEmpty && !isLast) throw this.#bad('the segment is empty');
  }

  #take(record: JournalRecord): void {
    if (this.#head === undefined) {
      this.#unconfirmed = { seq: record.seq - 1, hash: record.prev };
      this.#archived = record.seq - 1;
    }
    const head = headOf(record);
    const why = contradicts(head, this.#fileHead);
    if (why !== undefined) throw this.#bad(why);
    const { type, lastSeq, lastHash } = record;
    if (type === 'archive' && lastSeq === this.#unconfirmed?.seq && lastHash === this.#unconfirmed?.hash)
      this.#unconfirmed = undefined;
    const anchor = this.#anchors?.anchors.get(head.seq);
    if (anchor !== undefined && anchor.hash !== head.hash)
      throw this.#badAnchor(anchor, `record ${head.seq} had another hash at ${anchor.time}: the journal was replaced`);
    if (anchor !== undefined) this.#matched += 1;
    this.#head = head;
  }

  /** Throws if the first record does not follow the last archived one. */
  #requireBeginning(segment: string, archived: Archived | undefined): void {
    if (this.#unconfirmed === undefined) return;
    const { seq, hash } = this.#unconfirmed;
    const isKnown = archived?.seq !== seq || archived.hash === hash;
    const reason = isKnown
      ? `no record says that the ${seq} records before were archived: the beginning was cut off`
      : `it does not follow record ${seq}, which ${archivedFileName} names as the last archived one`;
    throw new Bad({ segment, line: 1, seq: seq + 1, reason }, 0);
  }

  #ending(segments: number): Verification {
    const why = lacksRecords(this.#head ?? genesis, this.#fileHead);
    if (why !== undefined) throw this.#bad(why);
    const missing = [...(this.#anchors?.anchors.values() ?? [])].find(({ seq }) => seq > this.#seq);
    if (missing !== undefined)
      throw this.#badAnchor(
        missing,
        `record ${missing.seq} was written at ${missing.time}, and the journal ends at record ${this.#seq}`,
      );
    return {
      ok: true,
      records: this.#seq,
      segments,
      archived: this.#archived,
      head: this.#head ?? genesis,
      endKnown: this.#fileHead !== undefined,
      incompleteBytes: this.#incompleteBytes,
      anchors: this.#anchors === undefined ? null : this.#matched,
      anchorTrouble: this.#anchorTrouble,
    };
  }

  get #seq(): number {
    return this.#head?.seq ?? 0;
  }

  #bad(reason: string, at = this.#end): Bad {
    return new Bad({ ...at, seq: this.#seq + 1, reason }, this.#seq);
  }

  #badAnchor({ line, seq }: { readonly line: number; readonly seq: number }, reason: string): Bad {
    const segment = basename(this.#anchors?.path ?? '');
    return new Bad({ segment, line, seq, reason }, Math.min(seq - 1, this.#seq));
  }
}
