/**
 * The audit journal: append-only JSON lines, each carrying the hash of the one before it.
 *
 * A record is on disk before `append` resolves; what cannot be recorded is not to be done. What the files hold is
 * described in chain.ts (a line), segments.ts (the files) and headFile.ts (the end); `verifyJournal` checks all of it,
 * `queryJournal` reads it.
 */
import { Low } from 'lowdb';
import { Failure } from '../domain/failure.ts';
import { JournalAdapter, type JournalData, type PendingRecord } from './adapter.ts';
import {
  entryText,
  genesis,
  parseLine,
  type ChainHead,
  type JournalEntry,
  type JournalRecord,
  type JsonValue,
} from './chain.ts';
import { realFiles, type JournalFiles } from './files.ts';
import type { Repair } from './opening.ts';
import { damaged } from './problems.ts';
import { readLines, segmentName, segmentPath } from './segments.ts';

export type { ChainHead, JournalEntry, JournalRecord, JsonValue, Repair };

const defaultSegmentBytes = 8 * 1024 * 1024;

/** Types that the journal writes itself. */
const ownTypes = ['segment', 'repair'];

export interface JournalOptions {
  /** Where the segments are; made with mode 0700. */
  readonly folder: string;
  /** A segment that has reached this size, in bytes, is followed by another. Default 8 MiB. */
  readonly segmentBytes?: number;
  /**
   * What a new segment begins with, so that a restart needs to read only that one: the owner's state after every record
   * whose `append` has resolved. It is called between appends, never by `open`; the owner updates its state in the
   * continuation of `append` without waiting for anything else first. A new journal begins with `null`.
   */
  readonly carry?: () => JsonValue;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** For tests: how segments are written. */
  readonly files?: JournalFiles;
}

export class Journal {
  readonly folder: string;
  readonly #adapter: JournalAdapter;
  readonly #db: Low<JournalData>;
  #closed: Promise<void> | undefined;

  private constructor(folder: string, adapter: JournalAdapter, db: Low<JournalData>) {
    this.folder = folder;
    this.#adapter = adapter;
    this.#db = db;
  }

  /**
   * Opens a journal for writing, or begins one. An interrupted last write, which nobody was told had succeeded, is cut
   * off, reported as {@link repaired} and recorded. Rejects with `journal-damaged` (see `findEnding`), or
   * `journal-unwritable`: the disk refuses, or another process writes this journal.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const adapter = new JournalAdapter({
      folder: options.folder,
      segmentBytes: options.segmentBytes ?? defaultSegmentBytes,
      carry: options.carry ?? (() => null),
      now: options.now ?? Date.now,
      files: options.files ?? realFiles,
    });
    const db = new Low<JournalData>(adapter, { head: genesis, pending: [] });
    await db.read();
    return new Journal(options.folder, adapter, db);
  }

  /** The last record that is on disk. */
  get head(): ChainHead {
    return this.#db.data.head;
  }

  /** What was cut off when the journal was opened. */
  get repaired(): Repair | undefined {
    return this.#adapter.repaired;
  }

  /**
   * Records `entry`: resolves when it is on disk, with its number and hash. Appends at the same time share one write
   * and keep their order. Rejects with `journal-unwritable` (nothing was recorded; a later append may succeed),
   * `journal-damaged` (somebody else changed the segment; nothing is recorded any more), `input-too-large`,
   * `shutting-down` after `close`, or `internal` for what is not an entry.
   */
  async append(entry: JournalEntry): Promise<ChainHead> {
    if (this.#closed !== undefined) throw new Failure('shutting-down', { what: 'the journal', why: 'it is closed' });
    if (ownTypes.includes(entry.type)) {
      const why = `records of type "${entry.type}" are the journal's own`;
      throw new Failure('internal', { what: 'journal entry', why, next: 'report this' });
    }
    const record: PendingRecord = { fields: entryText(entry) };
    let failure: unknown;
    try {
      await this.#db.update(({ pending }) => pending.push(record));
    } catch (error) {
      failure = error;
    }
    // Of many waiting records the first may be on disk when the disk refuses the rest.
    if (record.written !== undefined) return record.written;
    throw Failure.from(failure);
  }

  /** The acknowledged records of the last segment, its header first. */
  async *currentSegment(): AsyncGenerator<JournalRecord, void, undefined> {
    const { segment, bytes } = this.#adapter.end;
    for await (const lines of readLines(segmentPath(this.folder, segment), { endBytes: bytes })) {
      for (const line of lines) {
        const parsed = parseLine(line.bytes);
        if (!parsed.ok) throw damaged(this.folder, { segment: segmentName(segment), line: line.number }, parsed.reason);
        yield parsed.record;
      }
    }
  }

  /** Waits for the appends under way, writes `head.json` and gives the journal back. */
  close(): Promise<void> {
    this.#closed ??= this.#adapter.close();
    return this.#closed;
  }
}
