/** The failures of the journal, worded in one place. */
import { Failure } from '../domain/failure.ts';
import { printable, quoted } from '../domain/text.ts';

/**
 * Where in the journal something is: a segment's file name, its line (counted from 1; 0 for the file as a whole), the
 * record's number.
 */
export interface Place {
  readonly segment: string;
  readonly line: number;
  readonly seq?: number;
}

/** How much of a path is quoted, in characters. */
const pathKept = 300;

export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

export function reasonOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}

/** `journal-damaged`: what is on disk is not what was written. Nothing is repaired. */
export function damaged(folder: string, place: Place, why: string): Failure {
  const line = place.line === 0 ? '' : ` line ${place.line}`;
  const record = place.seq === undefined ? 'journal' : `journal record ${place.seq},`;
  return new Failure('journal-damaged', {
    what: `${record} ${quoted(`${folder}/${place.segment}`, pathKept)}${line}`,
    why,
    next: 'keep the folder as evidence; put it back from a backup, or move it away to begin a new journal',
    details: { ...place },
  });
}

/** `journal-unwritable`: nothing was recorded, so nothing may be done. */
export function unwritable(path: string, error: unknown): Failure {
  const code = errnoOf(error);
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const first = full ? 'free some space on the file system that holds it' : 'look at that file and its file system';
  return new Failure(
    'journal-unwritable',
    {
      what: `journal ${quoted(path, pathKept)}`,
      why: reasonOf(error),
      next: `${first}, then try again`,
      details: { path, ...(code === undefined ? {} : { errno: code }) },
    },
    error,
  );
}

/**
 * `not-found` where there is no journal, `journal-unwritable` ("cannot be used right now") for every other error of
 * reading.
 */
export function unreadable(path: string, error: unknown): Failure {
  const code = errnoOf(error);
  return new Failure(
    code === 'ENOENT' ? 'not-found' : 'journal-unwritable',
    {
      what: `journal ${quoted(path, pathKept)}`,
      why: `it cannot be read: ${reasonOf(error)}`,
      details: { path, ...(code === undefined ? {} : { errno: code }) },
    },
    error,
  );
}
