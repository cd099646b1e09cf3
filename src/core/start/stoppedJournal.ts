/** The journal of a server that does not run. */
import type { AuditVerification } from '../../domain/results/audit.ts';
import { verifyRecords } from '../../service/keeping/verifyRecords.ts';
import { journalPlaces, type Home } from '../../settings/home.ts';
import type { Settings } from '../../settings/settings.ts';

/** Checks the journal of a home, as `audit verify` does. It only reads. */
export function verifyStoppedJournal(
  home: Home,
  settings: Pick<Settings, 'journal'>,
  withArchive: boolean,
): Promise<AuditVerification> {
  return verifyRecords(journalPlaces(home, settings), withArchive);
}
