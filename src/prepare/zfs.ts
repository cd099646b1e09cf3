/**
 * Offers to install ZFS before a storage pool is made. A quota of ZFS counts everything in a container; one of btrfs
 * does not count the subvolumes that its root makes. On Ubuntu the module comes with the kernel, so ZFS is among the
 * packages that every machine gets; on Debian it is compiled for the kernel, for minutes.
 */
import { readFile } from 'node:fs/promises';
import { release as kernelRelease } from 'node:os';
import { Failure } from '../domain/failure.ts';
import { flavourOf } from '../host/kernelRelease.ts';
import { addSource, hasCandidate, install, kernelHas, remove, updateLists } from './packages.ts';
import { succeeds } from './programs.ts';
import type { Release } from './release.ts';

/** What {@link offerZfs} reads and changes. */
export interface ZfsMachine {
  readonly kernel: string;
  /** Whether this machine loads modules that it has compiled itself: not a container, and no Secure Boot. */
  loadsOwnModules(): Promise<boolean>;
  hasPackage(name: string): Promise<boolean>;
  install(names: readonly string[]): Promise<void>;
  remove(names: readonly string[]): Promise<void>;
}

export interface OfferOptions {
  readonly release: Release;
  readonly say: (line: string) => void;
  readonly offer: (question: string) => Promise<boolean>;
}

/** How long the compiler may take, in milliseconds. */
const compileMs = 60 * 60_000;

const zfsPackages = ['zfs-dkms', 'zfsutils-linux'];

/** Returns this machine. */
function zfsMachine({ release, say }: Omit<OfferOptions, 'offer'>): ZfsMachine {
  return {
    kernel: kernelRelease(),
    loadsOwnModules: async () => {
      if (await succeeds('systemd-detect-virt', ['--container', '--quiet'])) return false;
      // kernel_lockdown(7): the mode in brackets is active.
      const lockdown = await readFile('/sys/kernel/security/lockdown', 'utf8').catch(() => '[none]');
      return lockdown.includes('[none]');
    },
    hasPackage: hasCandidate,
    install: async (names) => {
      await addSource({ codename: release.codename, suite: release.codename, component: 'contrib' }, say);
      await updateLists(say);
      say(`Installing ${names.join(', ')}: compiling takes some minutes`);
      await install(names, { timeoutMs: compileMs });
    },
    remove,
  };
}

/** Returns the packages of ZFS for this machine; undefined if it is not offered. */
export async function packagesToOffer(release: Release, machine: ZfsMachine): Promise<string[] | undefined> {
  const flavour = flavourOf(machine.kernel);
  // The ZFS of the release does not fit a kernel of its backports.
  if (release.id !== 'debian' || flavour === undefined || machine.kernel.includes('bpo')) return undefined;
  const headers = `linux-headers-${machine.kernel}`;
  if (!(await machine.loadsOwnModules()) || !(await machine.hasPackage(headers))) return undefined;
  // With the second package, ZFS is compiled for later kernels too.
  return [headers, `linux-headers-${flavour}`, ...zfsPackages];
}

/** Offers ZFS and installs it. Resolves to whether it was installed. A failure is said, and undone if possible. */
export async function offerZfs(
  { release, say, offer }: OfferOptions,
  machine: ZfsMachine = zfsMachine({ release, say }),
): Promise<boolean> {
  const names = await packagesToOffer(release, machine);
  if (names === undefined) return false;
  const question =
    'Install ZFS, so that no container can exceed its disk quota? ' +
    `It compiles a kernel module for some minutes (${zfsPackages.join(', ')} from contrib)`;
  if (!(await offer(question))) {
    say('ZFS was not installed');
    return false;
  }
  try {
    await machine.install(names);
    return true;
  } catch (error) {
    const { what, why } = Failure.from(error);
    say(`ZFS was not installed: ${what}: ${why}`);
    // A package that is half installed would make every later call of apt-get fail.
    await machine.remove(zfsPackages).catch((failed: unknown) => {
      say(
        `Its packages could not be removed: ${Failure.from(failed).why}. Run "apt-get purge ${zfsPackages.join(' ')}"`,
      );
    });
    return false;
  }
}

/** Reports whether ZFS works: loads the module if necessary, and checks that the tools match it. */
export async function zfsWorks(): Promise<boolean> {
  if (!(await kernelHas('zfs'))) return false;
  await succeeds('modprobe', ['zfs']);
  return succeeds('zpool', ['version']);
}

/** Installs ZFS where it is missing. Rejects with `program-missing` if this machine cannot have it. */
export async function requireZfs({ release, say }: Omit<OfferOptions, 'offer'>): Promise<void> {
  if (await zfsWorks()) return;
  if (await kernelHas('zfs')) {
    say('Installing zfsutils-linux');
    await updateLists(say);
    await install(['zfsutils-linux']);
  } else await offerZfs({ release, say, offer: () => Promise.resolve(true) });
  if (await zfsWorks()) return;
  throw new Failure('program-missing', {
    what: 'ZFS on this machine',
    why: 'its kernel has no ZFS, and none can be compiled for it',
    next: 'boot a kernel of the release itself, outside of a container, and try again; or leave --data-disk out',
  });
}
