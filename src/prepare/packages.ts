/**
 * Installs the missing packages from the machine's own apt sources. If none is missing, nothing is downloaded, not even
 * package lists.
 */
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { Failure } from '../domain/failure.ts';
import { missingSource, readAptSources } from './aptSources.ts';
import { lacksBus } from './bus.ts';
import { run, succeeds } from './programs.ts';
import type { Release } from './release.ts';

/** Packages of Incus, by preference. `incus-base` has no virtual machines, which saves qemu and its 100 MB. */
const incusPackages = ['incus-base', 'incus'] as const;

const fixedPackages = [
  'dnsmasq-base',
  'nftables',
  'attr',
  'uidmap',
  'squashfs-tools',
  // `incus publish --compression zstd` runs zstd.
  'zstd',
  'lxcfs',
  'iproute2',
  'openssh-server',
  'openssh-client',
] as const;

/** Time limits in milliseconds, for `apt-get update` and for an installation over a slow line. */
const updateMs = 10 * 60_000;
const installMs = 30 * 60_000;

const aptEnv = {
  DEBIAN_FRONTEND: 'noninteractive',
  // Otherwise Ubuntu's needrestart would ask questions or restart services.
  NEEDRESTART_SUSPEND: '1',
};

const aptOptions = [
  '-q',
  '-y',
  '-o',
  'DPkg::Lock::Timeout=300',
  '-o',
  'Dpkg::Options::=--force-confdef',
  '-o',
  'Dpkg::Options::=--force-confold',
];

export type FileSystem = 'zfs' | 'btrfs';

/** Reports whether this kernel has a file system: built in, loaded, or as a loadable module. Loads nothing. */
export async function kernelHas(fileSystem: FileSystem): Promise<boolean> {
  const known = await readFile('/proc/filesystems', 'utf8');
  if (known.split('\n').some((line) => line.split('\t').at(-1) === fileSystem)) return true;
  return succeeds('modprobe', ['--dry-run', '--quiet', fileSystem]);
}

/** Returns the packages that this machine needs, besides Incus itself. */
async function wantedPackages(): Promise<string[]> {
  const appArmor = await readFile('/sys/module/apparmor/parameters/enabled', 'utf8').catch(() => 'N');
  return [
    ...fixedPackages,
    (await kernelHas('zfs')) ? 'zfsutils-linux' : 'btrfs-progs',
    // Incus confines containers only if it finds apparmor_parser.
    ...(appArmor.trim() === 'Y' ? ['apparmor'] : []),
    // A minimal Debian lacks it.
    ...((await lacksBus()) ? ['dbus'] : []),
  ];
}

/** Returns those of `names` that dpkg reports as installed. */
async function installedPackages(names: readonly string[]): Promise<Set<string>> {
  // Exit code 1 means that dpkg does not know some names; it still lists the others (dpkg-query(1)).
  const { stdout } = await run('dpkg-query', ['--show', '--showformat=${Package}\t${db:Status-Abbrev}\n', ...names], {
    allowExit: [0, 1],
  });
  const installed = new Set<string>();
  for (const line of stdout.split('\n')) {
    const [name = '', status = ''] = line.split('\t');
    if (/^[hi]i/.test(status)) installed.add(name);
  }
  return installed;
}

export interface MissingPackages {
  /** Whether Incus itself is missing. */
  readonly incus: boolean;
  readonly others: readonly string[];
}

export async function missingPackages(extra: readonly string[] = []): Promise<MissingPackages> {
  const wanted = [...new Set([...(await wantedPackages()), ...extra])];
  const installed = await installedPackages([...wanted, ...incusPackages]);
  return {
    incus: !incusPackages.some((name) => installed.has(name)),
    others: wanted.filter((name) => !installed.has(name)),
  };
}

/** Reports whether apt could install a package (`apt-cache policy` has a candidate). */
export async function hasCandidate(name: string): Promise<boolean> {
  const { stdout } = await run('apt-cache', ['policy', name]);
  return /^ {2}Candidate: (?!\(none\))\S/m.test(stdout);
}

export async function install(
  names: readonly string[],
  { suite, timeoutMs = installMs }: { readonly suite?: string | undefined; readonly timeoutMs?: number } = {},
): Promise<void> {
  const args = [
    'install',
    '--no-install-recommends',
    ...aptOptions,
    ...(suite === undefined ? [] : ['-t', suite]),
    ...names,
  ];
  try {
    await run('apt-get', args, { timeoutMs, env: aptEnv });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'program-failed') throw error;
    throw new Failure(
      'program-failed',
      {
        what: `installing ${names.join(', ')}`,
        why: error.why,
        next: 'run "apt-get update" and "apt-get -f install", fix what they report, and start again',
        ...(error.details === undefined ? {} : { details: error.details }),
      },
      error,
    );
  }
}

export async function remove(names: readonly string[]): Promise<void> {
  await run('apt-get', ['purge', ...aptOptions, ...names], { timeoutMs: installMs, env: aptEnv });
}

export async function updateLists(say: (line: string) => void): Promise<void> {
  say('Reading the package lists (apt-get update)');
  await run('apt-get', ['update', '-q', '-o', 'DPkg::Lock::Timeout=300'], { timeoutMs: updateMs, env: aptEnv });
}

/** Where packages are found: a suite and component of the archive of a release. */
export interface PackageSource {
  readonly codename: string;
  readonly suite: string;
  readonly component: string;
}

/** Adds the suite or component that has packages, if the machine's sources lack it. */
export async function addSource(
  source: PackageSource,
  say: (line: string) => void,
  aptFolder = '/etc/apt',
): Promise<void> {
  const added = missingSource(await readAptSources(aptFolder), source);
  if (added === undefined) return;
  const path = join(aptFolder, 'sources.list.d', added.fileName);
  say(`Adding ${added.what} from the machine's own package mirror: ${path}`);
  await mkdir(join(aptFolder, 'sources.list.d'), { recursive: true });
  await writeFileAtomic(path, added.text, { mode: 0o644 });
  // apt fetches as its own user, which must be able to read the file whatever the umask is.
  await chmod(path, 0o644);
}

export interface InstallOptions {
  readonly release: Release;
  readonly say: (line: string) => void;
  readonly missing: MissingPackages;
}

/** Installs the missing packages, if any. */
export async function installPackages({ release, say, missing }: InstallOptions): Promise<void> {
  if (!missing.incus && missing.others.length === 0) return;
  // Ubuntu has some other packages in the same component as Incus; only Incus itself needs backports.
  if (missing.incus || release.incusComponent !== 'main')
    await addSource({ codename: release.codename, suite: release.incusSuite, component: release.incusComponent }, say);
  await updateLists(say);
  if (missing.others.length > 0) {
    say(`Installing ${missing.others.join(', ')}`);
    await install(missing.others);
  }
  if (!missing.incus) return;
  const name = (await hasCandidate('incus-base')) ? 'incus-base' : 'incus';
  say(`Installing ${name} from ${release.incusSuite}`);
  await install([name], { suite: release.incusSuite === release.codename ? undefined : release.incusSuite });
}
