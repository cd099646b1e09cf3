/** The releases of a distribution on which tests install the program. */
import { readOsRelease, type OsRelease } from '../../../src/prepare/release.ts';

export interface TestedRelease {
  readonly name: string;
  /** What `ensureBaseImage` takes: undefined for this machine's own release. */
  readonly other: Pick<OsRelease, 'versionId' | 'name'> | undefined;
}

/** Returns this machine's release, and on Debian 12 also Debian 13, which its mirror has too. */
export async function testedReleases(): Promise<readonly [TestedRelease, ...TestedRelease[]]> {
  const { id, versionId, name } = await readOsRelease();
  const own = { name, other: undefined };
  if (id !== 'debian' || versionId !== '12') return [own];
  const trixie = 'Debian GNU/Linux 13 (trixie)';
  return [own, { name: trixie, other: { versionId: '13', name: trixie } }];
}
