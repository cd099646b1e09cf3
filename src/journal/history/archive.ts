/**
 * Moves the oldest segments of a journal to an archive. A segment goes as a whole, when even its newest record is older
 * than the limit. It is checked, compressed, read back, and named in the journal before it is removed. So a cut at any
 * step leaves it in one of the two folders or in both, and the next run carries on.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Failure, isFailure } from '../../domain/failure.ts';
import { readArchivedFile, writeArchivedFile, type Archived } from '../archivedFile.ts';
import { checkLine, genesis, headOf, type ChainHead, type JournalEntry } from '../chain.ts';
import { damaged, unwritable } from '../failures.ts';
import { realFiles } from '../files.ts';
import { listSegments, readLines, segmentName, segmentPath } from '../segments.ts';
import { archivedName, archivedPath, archivedSha256 } from './archivedLines.ts';

export interface ArchiveOptions {
  /** Folder of the journal. */
  readonly folder: string;
  /** Folder of the archive; made with mode 0700. */
  readonly archive: string;
  /** Segments are archived whose records are all older. */
  readonly before: Date;
  /** Appends to the journal. */
  readonly append: (entry: JournalEntry) => Promise<unknown>;
}

/** The newest segments, which stay whatever their age: a start may have to read both (ending.ts). */
const stayingSegments = 2;

/**
 * Archives what is old enough, the oldest first, and returns the names of the archived segments. Rejects with
 * `journal-damaged` at the first segment that is not as it was written, which stays, or if the archive has another file
 * of its name; with `journal-unwritable` if the archive cannot be written.
 */
export async function archiveSegments(options: ArchiveOptions): Promise<string[]> {
  const { folder, archive, before } = options;
  const done: string[] = [];
  let archived = await readArchivedFile(folder);
  for (const segment of (await listSegments(folder)).slice(0, -stayingSegments)) {
    // Archived in an earlier run, which was cut off before it removed the segment.
    const isLeft = archived !== undefined && segment <= archived.segment;
    const found = await inspect(folder, segment, isLeft ? undefined : (archived ?? genesis));
    if (!isLeft && found.newestMs >= before.getTime()) break;
    await store(folder, archive, segment, found.sha256);
    if (!isLeft) {
      archived = { segment, seq: found.head.seq, hash: found.head.hash };
      await options.append(recordOf(archive, archived, found));
      await writeArchivedFile(folder, archived);
    }
    await realFiles.remove(segmentPath(folder, segment));
    await realFiles.syncFolder(folder);
    done.push(segmentName(segment));
  }
  return done;
}

interface Inspected {
  /** The last record. */
  readonly head: ChainHead;
  /** Number of the first record. */
  readonly firstSeq: number;
  /** Time of the newest record, which need not be the last one: a clock may have been set back. */
  readonly newestMs: number;
  readonly sha256: string;
}

/** Checks a segment. `before` is the record that it must follow; undefined if that is not known. */
async function inspect(folder: string, segment: number, before: ChainHead | undefined): Promise<Inspected> {
  const hash = createHash('sha256');
  let head = before;
  let firstSeq = 0;
  let newestMs = 0;
  for await (const lines of readLines(segmentPath(folder, segment)))
    for (const { number, bytes, form } of lines) {
      const place = { segment: segmentName(segment), line: number };
      if (form !== 'complete') throw damaged(folder, place, 'the line is incomplete or too long');
      const check = checkLine(bytes, head);
      if (!check.ok) throw damaged(folder, place, check.reason);
      head = headOf(check.record);
      if (number === 1) firstSeq = head.seq;
      newestMs = Math.max(newestMs, Date.parse(check.record.time));
      hash.update(bytes).update('\n');
    }
  if (head === undefined || firstSeq === 0)
    throw damaged(folder, { segment: segmentName(segment), line: 0 }, 'the segment is empty');
  return { head, firstSeq, newestMs, sha256: hash.digest('hex') };
}

function recordOf(archive: string, { segment, seq, hash }: Archived, { firstSeq, sha256 }: Inspected): JournalEntry {
  return {
    type: 'archive',
    segment: segmentName(segment),
    archive: archivedPath(archive, segment),
    firstSeq,
    lastSeq: seq,
    lastHash: hash,
    sha256,
  };
}

/** Writes the compressed copy of a segment, and reads it back before it gets its name. */
async function store(folder: string, archive: string, segment: number, sha256: string): Promise<void> {
  const path = archivedPath(archive, segment);
  const place = { segment: archivedName(segment), line: 0 };
  // Always the same name, so that interrupted runs leave one file at most.
  const fresh = `${path}.new`;
  try {
    await mkdir(archive, { recursive: true, mode: 0o700 });
    const present = await archivedSha256(path).catch((error: unknown) => {
      if (isFailure(error, 'not-found')) return undefined;
      throw error;
    });
    if (present === sha256) return;
    if (present !== undefined) throw damaged(archive, place, 'it is not the archive of this segment');
    await rm(fresh, { force: true });
    await compress(segmentPath(folder, segment), fresh);
    if ((await archivedSha256(fresh)) !== sha256) throw damaged(archive, place, 'it cannot be read back as written');
    await rename(fresh, path);
    await realFiles.syncFolder(archive);
  } catch (error) {
    throw error instanceof Failure ? error : unwritable(path, error);
  }
}

/** Resolves when the copy is on disk. */
async function compress(from: string, to: string): Promise<void> {
  const copy = createWriteStream(to, { flags: 'wx', mode: 0o600, flush: true });
  await pipeline(createReadStream(from), createGzip(), copy);
}
