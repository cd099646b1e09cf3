/** The check of `doctor` for published holes of Incus: the installed package against the table in incusHoles.ts. */
import { plural } from '../../domain/text.ts';
import type { Packages } from '../../host/packages.ts';
import type { HostContext } from '../instances/context.ts';
import { incusHoles, incusHolesDate, type IncusHole } from './incusHoles.ts';
import { ok, warning, type Outcome } from './outcome.ts';
import { installedIncus } from './packageChecks.ts';
import type { DoctorTools } from './tools.ts';

/** `unknown`: older than the first release with the fix, but the package may have it as a backport. */
export type HoleState = 'closed' | 'open' | 'unknown';

type Compare = Pick<Packages, 'isOlder'>;

export async function checkHoles(
  { host, incus }: HostContext,
  { packages }: Pick<DoctorTools, 'packages'>,
  signal: AbortSignal,
): Promise<Outcome> {
  if (host.simulated) return ok('not used by the simulated host');
  const { server_version: running } = (await incus.server(signal)).environment;
  const installed = await installedIncus(packages, signal);
  // A daemon of another version than its package is an Incus from elsewhere.
  const version = installed !== undefined && upstreamOf(installed.version) === running ? installed.version : running;
  const states = await Promise.all(incusHoles.map((hole) => stateOf(hole, version, packages, signal)));
  const those = (state: HoleState): IncusHole[] => incusHoles.filter((_, index) => states[index] === state);
  const [open, unknown] = [those('open'), those('unknown')];
  const table = `the table of ${incusHolesDate}`;
  if (open.length + unknown.length === 0)
    return ok(`Incus ${version} has none of the ${incusHoles.length} in ${table}`);
  return warning(
    [
      `Incus ${version}, by ${table}`,
      ...(open.length === 0 ? [] : [`open: ${open.map(shown).join('; ')}`]),
      ...(unknown.length === 0 ? [] : [`not known whether this package has the fix: ${unknown.map(shown).join('; ')}`]),
    ].join('; '),
    'update Incus as soon as its package is newer; until then use only images and backups that you trust, and give nobody access to its API',
  );
}

function shown({ what, ids }: IncusHole): string {
  const [first = ''] = ids;
  return `${what}: ${first}${ids.length === 1 ? '' : ` and ${plural(ids.length - 1, 'other')}`}`;
}

/** Returns the upstream part of a package's version (deb-version(7)). */
export function upstreamOf(version: string): string {
  return version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
}

export async function stateOf(
  hole: IncusHole,
  version: string,
  packages: Compare,
  signal?: AbortSignal,
): Promise<HoleState> {
  const upstream = upstreamOf(version);
  if (isDebianLine(version)) {
    // A backport of a revision sorts before it: 6.0.4-2+deb13u7~bpo12+1.
    if ('closedFrom' in hole.debian)
      return (await packages.isOlder(version, `${hole.debian.closedFrom}~`, signal)) ? 'open' : 'closed';
    const { openUpTo } = hole.debian;
    return (await packages.isOlder(openUpTo, version, signal)) ? 'unknown' : 'open';
  }
  for (const [index, fixed] of hole.upstream.entries()) {
    const isLast = index === hole.upstream.length - 1;
    // A fix in 6.0.6 says nothing about 6.1 to 6.20, which are releases of another line.
    if (!isLast && lineOf(fixed) !== lineOf(upstream)) continue;
    if (!(await packages.isOlder(upstream, fixed, signal))) return 'closed';
  }
  // A package may have the fix as a backport, and a long-term line (6.0, 7.0) as a release that the table lacks.
  const line = lineOf(upstream);
  const isKnownLine = hole.upstream.some((fixed) => lineOf(fixed) === line) || !line.endsWith('.0');
  return version === upstream && hole.upstream.length > 0 && isKnownLine ? 'open' : 'unknown';
}

/** Reports whether a version is one of the Debian packages of 6.0.4 that the table knows. */
const isDebianLine = (version: string): boolean =>
  /^6\.0\.4-\d+(?:\+deb13u\d+)?(?:~bpo12\+\d+)?(?:\+b\d+)?$/.test(version);

const lineOf = (version: string): string => version.split('.').slice(0, 2).join('.');
