/**
 * Replaces the program of a running service by another release. If the new one does not work, the one before is put
 * back and started again.
 */
import { join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import { releasesFolder } from './layout.ts';
import { placeRelease, pruneReleases, releaseInUse } from './programFiles.ts';
import { putInUse } from './putInUse.ts';
import { releaseIn, type Release } from './release.ts';
import { requireHealthy, startService } from './service.ts';
import type { Say } from '../step/step.ts';

/** What a replacement does to the machine, so that tests can let each part fail. */
export interface ServiceMachine {
  place(release: Release): Promise<string>;
  /** Returns the name of the release in use. */
  inUse(): Promise<string | undefined>;
  /** Makes a release the one in use, with its system files. */
  use(name: string): Promise<void>;
  /** Returns the version of a release by its name. */
  versionOf(name: string): Promise<string>;
  restart(): Promise<void>;
  requireHealthy(version: string): Promise<void>;
  /** Deletes the releases that are not among these. */
  prune(kept: readonly (string | undefined)[]): Promise<void>;
}

const thisMachine: ServiceMachine = {
  place: (release) => placeRelease('/', release),
  inUse: () => releaseInUse('/'),
  use: (name) => putInUse('/', name),
  versionOf: async (name) => (await releaseIn(join(releasesFolder, name))).version,
  restart: startService,
  requireHealthy,
  prune: (kept) => pruneReleases('/', kept),
};

/**
 * Installs a release and starts it. Rejects with `unhealthy` if it does not work: then the one before runs again.
 * Rejects with `partial` if that does not work either.
 */
export async function startRelease(release: Release, say: Say, machine: ServiceMachine = thisMachine): Promise<void> {
  const name = await machine.place(release);
  const inUse = await machine.inUse();
  const before = inUse === name ? undefined : inUse;
  say(
    inUse === undefined
      ? `Starting version ${release.version}`
      : `Restarting the service with version ${release.version}: running operations end first`,
  );
  try {
    await machine.use(name);
    await machine.restart();
    await machine.requireHealthy(release.version);
  } catch (error) {
    if (before === undefined) throw error;
    throw await wentBack(before, Failure.from(error), say, machine);
  }
  await machine.prune([name, before]);
}

function nextOf({ next }: Failure): { readonly next?: string } {
  return next === undefined ? {} : { next };
}

/** Puts the release before back. Resolves to the failure to report. */
async function wentBack(before: string, failure: Failure, say: Say, machine: ServiceMachine): Promise<Failure> {
  say(`The new version does not work: ${failure.why}`);
  try {
    const version = await machine.versionOf(before);
    say(`Going back to version ${version}`);
    await machine.use(before);
    await machine.restart();
    await machine.requireHealthy(version);
    return new Failure(
      'unhealthy',
      { what: failure.what, why: `${failure.why}; version ${version} runs again`, ...nextOf(failure) },
      failure,
    );
  } catch (error) {
    const { why } = Failure.from(error);
    return new Failure(
      'partial',
      {
        what: failure.what,
        why: `${failure.why}, and the version before does not start either: ${why}`,
        next: 'see what they say: journalctl -u containarium; then run install.sh of a release that works',
      },
      error,
    );
  }
}
