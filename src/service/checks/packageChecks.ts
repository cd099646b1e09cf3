/** The checks of `doctor` for newer packages of Incus, sshd, the kernel and Node.js in the machine's own sources. */
import { realpath } from 'node:fs/promises';
import { plural } from '../../domain/text.ts';
import { dayMs } from '../../domain/values/duration.ts';
import { debianVersionOf, flavourOf, type KernelRelease } from '../../host/kernelRelease.ts';
import type { InstalledPackage, PackagePolicy, Packages } from '../../host/packages.ts';
import type { HostContext } from '../instances/context.ts';
import { ok, warning, type Outcome } from './outcome.ts';
import type { DoctorTools } from './tools.ts';

/** Age at which package lists are too old to tell whether a package is current, in days. */
const oldListDays = 7;

const incusPackages = ['incus-base', 'incus'] as const;
const sshdPackage = 'openssh-server';

/** Returns the package of the Incus daemon; undefined if Incus does not come from a package. */
export async function installedIncus(packages: Packages, signal?: AbortSignal): Promise<InstalledPackage | undefined> {
  const policies = await packages.policies(incusPackages, signal);
  for (const name of incusPackages) {
    const version = policies.get(name)?.installed;
    if (version !== undefined && version !== null) return { name, version };
  }
  return undefined;
}

export async function checkPackages(
  { host, now }: HostContext,
  { packages }: Pick<DoctorTools, 'packages'>,
  signal: AbortSignal,
): Promise<Outcome> {
  if (host.simulated) return ok('not used by the simulated host');
  const policies = await packages.policies([...incusPackages, sshdPackage], signal);
  const incus = incusPackages.find((name) => isInstalled(policies.get(name)));
  const sshd = isInstalled(policies.get(sshdPackage)) ? sshdPackage : undefined;
  const named = [incus, sshd].filter((name) => name !== undefined);
  const newer: string[] = [];
  for (const name of named) {
    const newest = await newerVersion(packages, policies.get(name), signal);
    if (newest !== undefined) newer.push(`${name} ${newest}`);
  }
  const unknown = [...(incus === undefined ? ['Incus'] : []), ...(sshd === undefined ? ['sshd'] : [])].map(
    (what) => `${what} does not come from a package, so whether it is current is not known`,
  );
  const stale = await staleLists(packages, now());
  if (newer.length > 0)
    return warning(
      [`newer packages are available: ${newer.join(', ')}`, ...unknown, ...stale].join('; '),
      `apt-get install --only-upgrade ${newer.map((text) => text.split(' ')[0]).join(' ')}`,
    );
  const current = named.map((name) => `${name} ${policies.get(name)?.installed ?? ''}`);
  const text = [
    ...(current.length === 0 ? [] : [`${current.join(', ')}: the newest in the machine's package sources`]),
    ...unknown,
    ...stale,
  ].join('; ');
  if (stale.length > 0) return warning(text, 'apt-get update');
  return unknown.length > 0 ? warning(text, 'follow the announcements of where it comes from') : ok(text);
}

const isInstalled = (policy: PackagePolicy | undefined): boolean => (policy?.installed ?? null) !== null;

/** Returns the candidate if it is newer than what is installed. */
async function newerVersion(
  packages: Packages,
  policy: PackagePolicy | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { installed = null, candidate = null } = policy ?? {};
  if (installed === null || candidate === null || installed === candidate) return undefined;
  return (await packages.isOlder(installed, candidate, signal)) ? candidate : undefined;
}

/** Returns a remark if the package lists are old, or if their age is not known. */
async function staleLists(packages: Packages, now: Date): Promise<string[]> {
  const readAt = await packages.listsReadAt();
  if (readAt === undefined) return ['how old the package lists are is not known'];
  const days = Math.floor((now.getTime() - readAt.getTime()) / dayMs);
  return days >= oldListDays ? [`the package lists are ${plural(days, 'day')} old`] : [];
}

/** Compares the running kernel with the newest installed one, which a reboot starts, and with the package sources. */
export async function checkKernelPackage(
  { host, now }: HostContext,
  { packages, kernel }: Pick<DoctorTools, 'packages' | 'kernel'>,
  signal: AbortSignal,
): Promise<Outcome> {
  if (host.simulated) return ok('not used by the simulated host');
  const running = kernel();
  const flavour = flavourOf(running.release);
  const unknown = warning(
    `${running.release} comes from no package of this system, so whether it is current is not known`,
    'ask the provider of this kernel for updates',
  );
  if (flavour === undefined) return unknown;
  const installed = await packages.kernels(flavour, signal);
  const version = packageVersion(running, installed);
  if (version === undefined) return unknown;
  let newest = { name: `linux-image-${running.release}`, version };
  for (const image of installed) if (await packages.isOlder(newest.version, image.version, signal)) newest = image;
  const text = `kernel ${running.release} (${version})`;
  const stale = await staleLists(packages, now());
  const metapackage = `linux-image-${flavour}`;
  const policy = (await packages.policies([metapackage], signal)).get(metapackage);
  const available = await newerVersion(
    packages,
    { installed: newest.version, candidate: policy?.candidate ?? null },
    signal,
  );
  const said = [
    ...(available === undefined ? [] : [`${metapackage} ${available} is available`]),
    ...(newest.version === version ? [] : [`${newest.name} (${newest.version}) is installed but does not run yet`]),
  ];
  if (said.length > 0)
    return warning(
      [`${text}: ${said.join(', and ')}`, ...stale].join('; '),
      available === undefined
        ? 'reboot, when all users can do without their containers'
        : `apt-get install ${metapackage}, then reboot`,
    );
  if (policy?.candidate === undefined || policy.candidate === null)
    return warning(`${text}; the package sources have no ${metapackage}, so whether it is current is not known`);
  return stale.length > 0
    ? warning([text, ...stale].join('; '), 'apt-get update')
    : ok(`${text} is the newest in the machine's package sources`);
}

/** Returns the version of the package that the running kernel comes from. */
function packageVersion(running: KernelRelease, installed: readonly InstalledPackage[]): string | undefined {
  // Debian's kernels name it. A package of the same name can be newer: it is replaced under the running kernel.
  const named = debianVersionOf(running);
  if (named !== undefined) return named;
  const names = [`linux-image-${running.release}`, `linux-image-unsigned-${running.release}`];
  return installed.find(({ name }) => names.includes(name))?.version;
}

/** Says which Node.js runs the server, and what updates it. */
export async function checkNode(
  { host }: HostContext,
  { packages, node }: Pick<DoctorTools, 'packages' | 'node'>,
  signal: AbortSignal,
): Promise<Outcome> {
  if (host.simulated) return ok('not used by the simulated host');
  const text = `Node.js ${node.version}`;
  const path = await realpath(node.path);
  if (path.includes('/node_modules/'))
    return ok(`${text} came with this program: apt does not know it, and a new version of this program updates it`);
  const owner = await packages.ownerOf(path, signal);
  if (owner === undefined)
    return warning(`${text} (${path}) comes from no package, so whether it is current is not known`);
  const policy = (await packages.policies([owner], signal)).get(owner);
  const newest = await newerVersion(packages, policy, signal);
  return newest === undefined
    ? ok(`${text}: package ${owner} ${policy?.installed ?? ''}`)
    : warning(`${text}: package ${owner} ${newest} is available`, `apt-get install --only-upgrade ${owner}`);
}
