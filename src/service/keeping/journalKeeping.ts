/** Keeps the journal: checks it, archives its oldest part, and writes its head outside. */
import type { AuditVerification } from '../../domain/results/audit.ts';
import { plural } from '../../domain/text.ts';
import { dayMs } from '../../domain/values/duration.ts';
import { archiveSegments } from '../../journal/history/archive.ts';
import type { JournalEntry } from '../../journal/chain.ts';
import type { Anchors } from './anchors.ts';
import { SharedRuns } from './sharedRuns.ts';
import { verifyRecords, type JournalPlaces } from './verifyRecords.ts';

export interface JournalKeepingOptions {
  readonly places: JournalPlaces;
  readonly keepDays: number;
  readonly anchors: Anchors;
  readonly append: (entry: JournalEntry) => Promise<unknown>;
  readonly now: () => Date;
}

/** What the rest of the server may ask. */
export interface Keeping {
  /** Why the head could not be written outside; undefined if it was. */
  readonly anchorTrouble: string | undefined;
  verify(withArchive: boolean, signal?: AbortSignal): Promise<AuditVerification>;
  /** Archives what is older than the settings say. Resolves to a clause; undefined if there was nothing to do. */
  archive(): Promise<string | undefined>;
  /** Writes the head outside. Resolves to a clause; undefined if the settings name no place. */
  anchor(): Promise<string | undefined>;
}

export class JournalKeeping implements Keeping {
  readonly #options: JournalKeepingOptions;
  readonly #verifications: SharedRuns<AuditVerification>;
  readonly #verificationsWithArchive: SharedRuns<AuditVerification>;

  constructor(options: JournalKeepingOptions) {
    this.#options = options;
    const verify = (withArchive: boolean): SharedRuns<AuditVerification> =>
      new SharedRuns((signal) => verifyRecords(options.places, withArchive, signal));
    this.#verifications = verify(false);
    this.#verificationsWithArchive = verify(true);
  }

  get anchorTrouble(): string | undefined {
    return this.#options.anchors.trouble;
  }

  verify(withArchive: boolean, signal?: AbortSignal): Promise<AuditVerification> {
    return (withArchive ? this.#verificationsWithArchive : this.#verifications).ask(signal);
  }

  async archive(): Promise<string | undefined> {
    const { places, keepDays, append, now } = this.#options;
    const before = new Date(now().getTime() - keepDays * dayMs);
    const done = await archiveSegments({ folder: places.journal, archive: places.archive, before, append });
    return done.length === 0 ? undefined : `${plural(done.length, 'segment')} archived: ${done.join(', ')}`;
  }

  anchor(): Promise<string | undefined> {
    return this.#options.anchors.write();
  }
}

/** Returns the keeping of a rehearsal: it reads, and neither archives nor anchors. */
export function rehearsedKeeping(real: Keeping): Keeping {
  return {
    anchorTrouble: real.anchorTrouble,
    verify: (withArchive, signal) => real.verify(withArchive, signal),
    archive: () => Promise.resolve(undefined),
    anchor: () => Promise.resolve(undefined),
  };
}
