/** `containarium upgrade ARCHIVE`: replaces the installed release, and goes back if the new one does not work. */
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists } from '../prepare/files.ts';
import { Failure } from '../domain/failure.ts';
import { run } from '../prepare/programs.ts';
import { defaultHomes, installedProgram } from '../settings/home.ts';
import { readUpgradeArguments, type UpgradeArguments } from './arguments.ts';
import { unpack } from './program/archive.ts';
import { installersUmask } from './program/layout.ts';
import { releaseIn, type Release } from './program/release.ts';
import { isInPlace, startRelease } from './program/replacement.ts';
import { onlyInstaller } from './step/onlyInstaller.ts';
import type { Say } from './step/step.ts';

/** Runs the command line. Resolves with the exit code. */
export async function upgrade(words: readonly string[]): Promise<number> {
  process.umask(installersUmask);
  const args = readUpgradeArguments(words);
  const say: Say = (line) => void process.stdout.write(`${line}\n`);
  if (process.getuid?.() !== 0)
    throw new Failure('denied', {
      what: 'an upgrade',
      why: 'only root can replace the program',
      next: 'run it with sudo',
    });
  return onlyInstaller(() => replace(args, say));
}

async function replace(args: UpgradeArguments, say: Say): Promise<number> {
  if (!(await exists(installedProgram)))
    throw new Failure('wrong-state', {
      what: 'an upgrade',
      why: 'no release is installed on this machine',
      next: 'run install.sh of the release',
    });
  const present = await releaseIn(installedProgram);
  const release = await unpack(args.archive, args.sha256);
  try {
    const isSame = release.id === present.id;
    if (isSame && (await isInPlace(release))) {
      say(`Version ${release.version} is installed already. Nothing was changed.`);
      return 0;
    }
    if (!args.allowDowngrade) refuseOlder(release, present);
    await requireRunnable(release);
    if (isSame) say(`Version ${release.version} is installed, but the service was not found to work with it`);
    await startRelease(release, say);
    if (isSame) say(`The service works with version ${release.version}`);
    else say(`Upgraded from version ${present.version} to ${release.version}`);
    return 0;
  } finally {
    await rm(dirname(release.folder), { recursive: true, force: true });
  }
}

/** An older version may not read what a newer one has written. */
function refuseOlder({ version }: Release, present: Release): void {
  if (version.localeCompare(present.version, 'en', { numeric: true }) >= 0) return;
  throw new Failure('wrong-state', {
    what: `version ${version}`,
    why: `version ${present.version} is installed, which is newer and may have written what ${version} cannot read`,
    next: 'to do it anyway: --allow-downgrade',
  });
}

/** Lets the new program read the settings, before anything is replaced. */
async function requireRunnable({ folder }: Release): Promise<void> {
  const node = join(folder, 'node_modules', '.bin', 'node');
  await run(node, [join(folder, 'dist', 'main.js'), 'serve', '--check-settings'], {
    env: { CONTAINARIUM_HOME: defaultHomes.system.root, CONTAINARIUM_HOST: 'incus' },
  });
}
