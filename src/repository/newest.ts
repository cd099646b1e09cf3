/** Which backup is the newest. A clock that was wrong has made some of a time that has not come. */
import { isAhead } from '../domain/values/backupId.ts';
import type { KeptBackup } from './repository.ts';

/** Returns the backups, the newest first; those that are ahead of `now` last, since nobody knows how old they are. */
export function newestFirst(backups: readonly KeptBackup[], now: Date): readonly KeptBackup[] {
  return backups.toSorted((a, b) => {
    const [aheadA, aheadB] = [isAhead(a.id, now), isAhead(b.id, now)];
    if (aheadA !== aheadB) return aheadA ? 1 : -1;
    return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
  });
}
