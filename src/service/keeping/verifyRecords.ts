/** Checks the journal with what is kept outside of it. */
import type { AuditVerification } from '../../domain/results/audit.ts';
import { verifyJournal } from '../../journal/history/verify.ts';

/** Where the journal and what belongs to it are. */
export interface JournalPlaces {
  /** Folder of the journal. */
  readonly journal: string;
  /** Folder of the archive. */
  readonly archive: string;
  /** File of anchors; undefined if there is none. */
  readonly anchors: string | undefined;
}

/** `withArchive` also checks what was archived. */
export async function verifyRecords(
  { journal, archive, anchors }: JournalPlaces,
  withArchive: boolean,
  signal?: AbortSignal,
): Promise<AuditVerification> {
  const found = await verifyJournal(journal, { signal, anchors, ...(withArchive ? { archive } : {}) });
  return found.ok
    ? {
        ok: true,
        records: found.records,
        segments: found.segments,
        archived: found.archived,
        anchors: found.anchors,
        anchorTrouble: found.anchorTrouble,
        head: found.head,
      }
    : { ok: false, records: found.records, firstBad: { ...found.firstBad, seq: found.firstBad.seq ?? null } };
}
