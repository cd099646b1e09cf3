/** `audit verify` on a host whose server does not run. */
import { verifyStoppedJournal } from '../core/start/stoppedJournal.ts';
import type { AuditVerification } from '../domain/results/audit.ts';
import type { Home } from '../settings/home.ts';
import { readSettings } from '../settings/settings.ts';

/** Checks the journal of a home, with what its settings name. It only reads. */
export async function verifyJournalIn(
  home: Home,
  env: NodeJS.ProcessEnv,
  withArchive: boolean,
): Promise<AuditVerification> {
  const named = env['CONTAINARIUM_CONFIG'];
  const settings = await readSettings(named ?? home.configuration, named !== undefined);
  return verifyStoppedJournal(home, settings, withArchive);
}
