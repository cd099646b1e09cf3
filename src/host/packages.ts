/**
 * The packages of this machine: what is installed, and what its own package sources offer (apt-cache(8), dpkg(1)).
 * Nothing is downloaded, so the answers are as old as the package lists.
 */
import { stat } from 'node:fs/promises';
import { flavourOf } from './kernelRelease.ts';
import type { Runner } from './runner.ts';

export interface PackagePolicy {
  /** Null if the package is not installed. */
  readonly installed: string | null;
  /** The version that apt would install; null if the sources have none. */
  readonly candidate: string | null;
}

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
}

const timeoutMs = 20_000;

/**
 * What `apt-get update` touches. The package lists themselves carry the dates of the mirror, not of the download.
 * apt writes the stamp only where apt.conf asks for it.
 */
const touchedByUpdate = [
  '/var/lib/apt/periodic/update-success-stamp',
  '/var/lib/apt/lists',
  '/var/lib/apt/lists/partial',
];

export class Packages {
  readonly #runner: Runner;
  readonly #touched: readonly string[];

  constructor(runner: Runner, touched: readonly string[] = touchedByUpdate) {
    this.#runner = runner;
    this.#touched = touched;
  }

  /** Returns the versions of packages. Leaves out those that apt does not know. */
  async policies(names: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, PackagePolicy>> {
    const { stdout } = await this.#runner.run({
      program: 'apt-cache',
      args: ['policy', ...names],
      timeoutMs,
      signal,
    });
    return parsePolicies(stdout);
  }

  /** Reports whether a version is older than another, by dpkg's own rules (deb-version(7)). */
  async isOlder(version: string, than: string, signal?: AbortSignal): Promise<boolean> {
    const { exitCode } = await this.#runner.run({
      program: 'dpkg',
      args: ['--compare-versions', version, 'lt', than],
      timeoutMs,
      signal,
      allowExit: [0, 1],
    });
    return exitCode === 0;
  }

  /** Returns the installed kernels of a flavour, such as `amd64` or `generic`. */
  async kernels(flavour: string, signal?: AbortSignal): Promise<InstalledPackage[]> {
    const { stdout } = await this.#runner.run({
      program: 'dpkg-query',
      args: ['--show', '--showformat=${Package}\\t${Version}\\t${db:Status-Abbrev}\\n', 'linux-image-*'],
      timeoutMs,
      signal,
      // Exit code 1 means that no package has such a name (dpkg-query(1)).
      allowExit: [0, 1],
    });
    return stdout.split('\n').flatMap((line) => {
      const [name = '', version = '', status = ''] = line.split('\t');
      const kernel = /^linux-image-(?:unsigned-)?(\d.*?)(?:-unsigned)?$/.exec(name)?.[1];
      return kernel !== undefined && flavourOf(kernel) === flavour && /^[hi]i/.test(status) ? [{ name, version }] : [];
    });
  }

  /** Returns the package that a file belongs to; undefined if it belongs to none. */
  async ownerOf(path: string, signal?: AbortSignal): Promise<string | undefined> {
    const { stdout } = await this.#runner.run({
      program: 'dpkg-query',
      args: ['--search', path],
      timeoutMs,
      signal,
      allowExit: [0, 1],
    });
    return /^([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9]+)?: /m.exec(stdout)?.[1];
  }

  /** Returns when the package lists were last read from the sources; undefined if that is not known. */
  async listsReadAt(): Promise<Date | undefined> {
    const times = await Promise.all(
      this.#touched.map((path) =>
        stat(path).then(
          ({ mtimeMs }) => mtimeMs,
          () => undefined,
        ),
      ),
    );
    const known = times.filter((time) => time !== undefined);
    return known.length === 0 ? undefined : new Date(Math.max(...known));
  }
}

/** Parses `apt-cache policy` with one or more names. */
export function parsePolicies(text: string): ReadonlyMap<string, PackagePolicy> {
  const found = new Map<string, PackagePolicy>();
  let name: string | undefined;
  for (const line of text.split('\n')) {
    name = /^([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9]+)?:$/.exec(line)?.[1] ?? name;
    const [, field, value] = /^ {2}(Installed|Candidate): (\S+)$/.exec(line) ?? [];
    if (name === undefined || field === undefined || value === undefined) continue;
    const known = found.get(name) ?? { installed: null, candidate: null };
    const version = value === '(none)' ? null : value;
    found.set(name, field === 'Installed' ? { ...known, installed: version } : { ...known, candidate: version });
  }
  return found;
}
