/** The failures of the journal. */
import { Failure } from '../domain/failure.ts';
import { fileTrouble } from '../domain/fileTrouble.ts';
import { printable, quoted } from '../domain/text.ts';

/**
 * A place in the journal: a segment's file name, the line (counted from 1; 0 for the whole file), and the number of the
 * record.
 */
export interface Place {
  readonly segment: string;
  readonly line: number;
  readonly seq?: number;
}

/** Longest quoted path, in characters. */
const maxPathLength = 300;

export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

export function reasonOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}

/** Makes the failure for a journal on disk that differs from what was written. Nothing is repaired. */
export function damaged(folder: string, place: Place, why: string): Failure {
  const line = place.line === 0 ? '' : ` line ${place.line}`;
  const record = place.seq === undefined ? 'journal' : `journal record ${place.seq},`;
  return new Failure('journal-damaged', {
    what: `${record} ${quoted(`${folder}/${place.segment}`, maxPathLength)}${line}`,
    why,
    next: 'keep the folder as evidence; restore it from a backup, or move it away to start a new journal',
    details: { ...place },
  });
}

/** Makes the failure for a record that cannot be written. The change that it records must not be made. */
export function unwritable(path: string, error: unknown): Failure {
  const code = errnoOf(error);
  const trouble = fileTrouble(error);
  const first = trouble?.next ?? 'check that file and its file system';
  return new Failure(
    'journal-unwritable',
    {
      what: `journal ${quoted(path, maxPathLength)}`,
      why: trouble?.why ?? reasonOf(error),
      next: `${first}, then try again`,
      details: { path, ...(code === undefined ? {} : { errno: code }) },
    },
    error,
  );
}

/** Makes the failure for an error of reading: `not-found` if there is no journal, otherwise `journal-unwritable`. */
export function unreadable(path: string, error: unknown): Failure {
  const code = errnoOf(error);
  return new Failure(
    code === 'ENOENT' ? 'not-found' : 'journal-unwritable',
    {
      what: `journal ${quoted(path, maxPathLength)}`,
      why: `it cannot be read: ${reasonOf(error)}`,
      details: { path, ...(code === undefined ? {} : { errno: code }) },
    },
    error,
  );
}
