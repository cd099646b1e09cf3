/**
 * `archived.json`: up to which segment the journal was moved to the archive. It lies beside the segments and is
 * written before a segment is removed, so a server that starts knows which segments may be missing from the beginning.
 * It proves nothing: `verifyJournal` believes only the record of type `archive` in the chain itself.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { ChainHead } from './chain.ts';
import { damaged, errnoOf, unreadable } from './failures.ts';

export const archivedFileName = 'archived.json';

/** The last archived segment, with the number and hash of its last record. */
export interface Archived extends ChainHead {
  readonly segment: number;
}

/** Returns what was archived; undefined if nothing was. Rejects with `journal-damaged` for invalid content. */
export async function readArchivedFile(folder: string): Promise<Archived | undefined> {
  const path = join(folder, archivedFileName);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
  try {
    const { segment, seq, hash } = JSON.parse(text) as Record<string, unknown>;
    const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
    if (isNumber(segment) && isNumber(seq) && typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash))
      return { segment, seq, hash };
  } catch {
    // Not JSON, which is handled like any other invalid content.
  }
  throw damaged(folder, { segment: archivedFileName, line: 1 }, 'it does not name an archived segment');
}

/** Writes the file and flushes it to disk. */
export async function writeArchivedFile(folder: string, archived: Archived): Promise<void> {
  const { segment, seq, hash } = archived;
  const text = `${JSON.stringify({ segment, seq, hash })}\n`;
  await writeFileAtomic(join(folder, archivedFileName), text, { mode: 0o600, fsync: true });
}
