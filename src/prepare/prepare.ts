/**
 * What `--real` does to a machine: installs and starts Incus, gives it a pool and a bridge, and tells the host's sshd
 * about the jump accounts. Every step looks first, announces what it is about to change, and does nothing where nothing
 * is to be done.
 */
import { Accounts, frontAccount } from '../host/accounts.ts';
import { ProgramRunner } from '../host/runner.ts';
import { Failure } from '../domain/failure.ts';
import { startIncusDaemon } from './daemon.ts';
import { initialiseIncus } from './initialise.ts';
import type { InitialiseOptions } from './initialise.ts';
import { raiseKernelLimits } from './kernelLimits.ts';
import { installPackages, missingPackages } from './packages.ts';
import { readOsRelease, supportedRelease } from './release.ts';
import { installSshdDropIn } from './sshd.ts';

/** The comment field of that user, as in systemd/containarium.sysusers. */
const frontComment = 'SSH server of Containarium';

export interface PrepareSettings {
  /** The jump accounts' group. */
  readonly group: string;
  readonly authorizedKeysFolder: string;
  /** A driver and source for the storage pool, where they are not to be chosen. */
  readonly storage?: NonNullable<InitialiseOptions['storage']>;
}

export interface PrepareOptions {
  /** Hears of every change before it is made. */
  readonly say: (line: string) => void;
  /** Asks for consent before packages are installed; `false` ends it (`cancelled`). */
  readonly ask: (question: string) => Promise<boolean>;
  readonly settings: PrepareSettings;
}

/**
 * Prepares this machine; safe to repeat at any time.
 *
 * Rejects with a `Failure`: `denied` (not root), `settings` (not a supported release, or its configuration stands in
 * the way), `cancelled` (refused by `ask`), `no-space`, `incus-unavailable`, `program-failed`, `timeout`.
 */
export async function prepareHost({ say, ask, settings }: PrepareOptions): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new Failure('denied', {
      what: 'preparing this machine',
      why: 'only root can install and start Incus',
      next: 'sudo npm start -- --real',
    });
  }
  const os = await readOsRelease();
  const release = supportedRelease(os);

  const missing = await missingPackages();
  if (missing.incus || missing.others.length > 0) {
    const names = [...(missing.incus ? ['incus'] : []), ...missing.others];
    if (!(await ask(`Install ${names.join(', ')} with apt-get on this machine (${os.name})?`))) {
      throw new Failure('cancelled', {
        what: 'preparing this machine',
        why: 'installing packages was refused',
        next: `install ${names.join(', ')} yourself, or start without "--real" for a simulated host`,
      });
    }
    await installPackages({ release, say, missing });
  }
  await raiseKernelLimits(say);
  await startIncusDaemon(say);
  await initialiseIncus({ say, ...(settings.storage === undefined ? {} : { storage: settings.storage }) });

  const accounts = new Accounts(new ProgramRunner());
  if ((await accounts.groupId(settings.group)) === undefined) {
    say(`Creating the group "${settings.group}" for jump accounts`);
    await accounts.ensureGroup(settings.group);
  }
  if ((await accounts.account(frontAccount)) === undefined) {
    say(`Creating the user "${frontAccount}", as whom the SSH server runs`);
    await accounts.ensureServiceAccount(frontAccount, frontComment);
  }
  await installSshdDropIn(settings, say);
}
