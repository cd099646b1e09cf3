/**
 * Replaces the program of a running service by another release. If the new one does not work, the one before is put
 * back and started again.
 */
import { join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import { releasesFolder } from './layout.ts';
import { placeRelease, pruneReleases, releaseInUse, releaseName } from './programFiles.ts';
import { putInUse } from './putInUse.ts';
import { releaseIn, type Release } from './release.ts';
import { isHealthy, requireHealthy, startService } from './service.ts';
import { differingFiles } from './systemFiles.ts';
import { setWayBack, wayBack } from './wayBack.ts';
import { despiteHangUp } from '../step/hangUp.ts';
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
  isHealthy(version: string): Promise<boolean>;
  /** Reports whether the system has the units and other files of a release. */
  hasFilesOf(release: Release): Promise<boolean>;
  /** Returns the name of the release to go back to, while it is not known whether the one in use works. */
  wayBack(): Promise<string | undefined>;
  setWayBack(name: string | undefined): Promise<void>;
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
  isHealthy,
  hasFilesOf: async ({ folder }) => (await differingFiles('/', folder)).length === 0,
  wayBack: () => wayBack('/'),
  setWayBack: (name) => setWayBack('/', name),
  prune: (kept) => pruneReleases('/', kept),
};

/**
 * Reports whether the service runs this release, and was found to work with it. False after a replacement that was cut:
 * then {@link startRelease} goes on with it.
 */
export async function isInPlace(release: Release, machine: ServiceMachine = thisMachine): Promise<boolean> {
  if ((await machine.inUse()) !== releaseName(release) || (await machine.wayBack()) !== undefined) return false;
  return (await machine.hasFilesOf(release)) && (await machine.isHealthy(release.version));
}

/**
 * Installs a release and starts it. Rejects with `unhealthy` if it does not work: then the one before runs again.
 * Rejects with `partial` if that does not work either. Can be cut and repeated: until the new one works, the one before
 * is remembered. The end of the terminal does not cut it.
 */
export async function startRelease(release: Release, say: Say, machine: ServiceMachine = thisMachine): Promise<void> {
  const name = await machine.place(release);
  await despiteHangUp(() => change(name, release.version, say, machine));
}

async function change(name: string, version: string, say: Say, machine: ServiceMachine): Promise<void> {
  const inUse = await machine.inUse();
  // After a replacement that was cut, the release in use is one that was never found to work.
  const last = (await machine.wayBack()) ?? inUse;
  const before = last === name ? undefined : last;
  say(
    inUse === undefined
      ? `Starting version ${version}`
      : `Restarting the service with version ${version}: running operations end first`,
  );
  if (before !== undefined) await machine.setWayBack(before);
  try {
    await machine.use(name);
    await machine.restart();
    await machine.requireHealthy(version);
  } catch (error) {
    if (before === undefined) throw error;
    throw await wentBack(before, Failure.from(error), say, machine);
  }
  await machine.setWayBack(undefined);
  // The same release once more takes no place, and the one before it stays.
  if (before !== undefined || inUse !== name) await machine.prune([name, before ?? inUse]);
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
    await machine.setWayBack(undefined);
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
