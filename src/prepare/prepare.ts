/**
 * Implements `--real`: installs and starts Incus, gives it a pool and a bridge, and configures the host's sshd for the
 * jump accounts. Every step checks first, announces each change, and does nothing if there is nothing to do.
 */
import { Accounts, frontAccount, remoteAccount } from '../host/accounts.ts';
import { ProgramRunner } from '../host/runner.ts';
import { Failure } from '../domain/failure.ts';
import type { KernelLimits } from '../domain/values/kernelLimits.ts';
import type { Home } from '../settings/home.ts';
import type { Settings } from '../settings/settings.ts';
import { closeBridge } from './bridge.ts';
import { startBus } from './bus.ts';
import { startIncusDaemon } from './daemon.ts';
import { initialiseIncus } from './initialise.ts';
import type { InitialiseOptions } from './initialise.ts';
import { raiseKernelLimits } from './kernelLimits.ts';
import { formerBridgeAddress } from './lostDatabase.ts';
import { installPackages, missingPackages } from './packages.ts';
import { whyPasswordsMayBeUsedHere } from './passwordLogins.ts';
import { readOsRelease, supportedRelease } from './release.ts';
import { installSshdDropIn } from './sshd.ts';
import { offerZfs } from './zfs.ts';
import { prepareSubordinateIds } from './subordinateIds.ts';

/** Users of the processes that serve clients, with their comment fields, as in systemd/containarium.sysusers. */
const serviceAccounts = [
  { name: frontAccount, purpose: 'SSH server' },
  { name: remoteAccount, purpose: 'remote interface' },
] as const;

export interface PrepareSettings {
  /** The jump accounts' group. */
  readonly group: string;
  readonly authorizedKeysFolder: string;
  /** Number of pending logins that one source may have at the host's sshd. */
  readonly pendingLoginsPerSource?: number;
  /** Whether the host's sshd may offer passwords. Default: only where an account may have one. */
  readonly passwordLogins?: boolean | undefined;
  /** The wanted kernel limits. */
  readonly sysctl: KernelLimits;
  /** The containers' bridge, if configured. */
  readonly network?: string | undefined;
  /** Driver and source of the storage pool. Default: chosen automatically. */
  readonly storage?: NonNullable<InitialiseOptions['storage']>;
}

/** Returns what the configuration of a server in this home says about the machine. */
export function prepareSettings({ jump, sysctl, incus }: Settings, home: Home): Omit<PrepareSettings, 'storage'> {
  return {
    group: jump.group,
    authorizedKeysFolder: jump.authorizedKeysFolder ?? home.authorizedKeys,
    pendingLoginsPerSource: jump.pendingLoginsPerSource,
    passwordLogins: jump.passwordLogins,
    sysctl,
    network: incus.network,
  };
}

export interface PrepareOptions {
  /** Announces every change before it is made. */
  readonly say: (line: string) => void;
  /** Asks for consent before packages are installed; `false` ends the preparation (`cancelled`). */
  readonly ask: (question: string) => Promise<boolean>;
  /** Offers what takes long and is not necessary; `false` continues without it. */
  readonly offer: (question: string) => Promise<boolean>;
  readonly settings: PrepareSettings;
}

/**
 * Prepares this machine; safe to repeat at any time.
 *
 * Rejects with a `Failure`: `denied` (not root), `settings` (an unsupported release, or an unsuitable configuration),
 * `cancelled` (refused by `ask`), `no-space`, `incus-unavailable`, `program-failed`, `timeout`.
 */
export async function prepareHost({ say, ask, offer, settings }: PrepareOptions): Promise<void> {
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
        why: 'you declined to install packages',
        next: `install ${names.join(', ')} yourself, or start without "--real" for a simulated host`,
      });
    }
    await installPackages({ release, say, missing });
  }
  await startBus(say);
  await raiseKernelLimits(say, settings.sysctl);
  await prepareSubordinateIds(say);
  await startIncusDaemon(say);
  await initialiseIncus({
    say,
    offerZfs: () => offerZfs({ release, say, offer }),
    formerBridgeAddress: () => formerBridgeAddress(settings.authorizedKeysFolder),
    ...(settings.storage === undefined ? {} : { storage: settings.storage }),
  });
  await closeBridge({ say, name: settings.network });

  const accounts = new Accounts(new ProgramRunner());
  if ((await accounts.groupId(settings.group)) === undefined) {
    say(`Creating the group "${settings.group}" for jump accounts`);
    await accounts.ensureGroup(settings.group);
  }
  for (const { name, purpose } of serviceAccounts) {
    if ((await accounts.account(name)) !== undefined) continue;
    say(`Creating the user "${name}" for the ${purpose}`);
    await accounts.ensureServiceAccount(name, `${capitalised(purpose)} of Containarium`);
  }
  await installSshdDropIn({ ...settings, ...(await passwordLogins(settings)) }, say);
}

/** Decides whether sshd may offer passwords, with the sentence that says so. */
async function passwordLogins({
  passwordLogins: chosen,
}: PrepareSettings): Promise<{ readonly passwordLogins: boolean; readonly note?: string }> {
  if (chosen === true) return { passwordLogins: true };
  if (chosen === false) return { passwordLogins: false, note: 'sshd offers no passwords (jump.passwordLogins)' };
  const why = await whyPasswordsMayBeUsedHere();
  return why === undefined
    ? {
        passwordLogins: false,
        note: 'sshd offers no passwords, because no account of this machine has one ("jump.passwordLogins: true" leaves its own setting alone)',
      }
    : {
        passwordLogins: true,
        note: `sshd may still offer passwords to names without a container, because ${why} ("jump.passwordLogins: false" turns them off)`,
      };
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
