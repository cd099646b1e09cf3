/**
 * The release of this machine, and where that release has Incus. Only tested releases are prepared; for any other, the
 * failure lists what to install by hand.
 */
import { readFile } from 'node:fs/promises';
import { Failure } from '../domain/failure.ts';

/** The fields of os-release(5) that are used here. */
export interface OsRelease {
  readonly id: string;
  readonly versionId: string;
  readonly codename: string;
  readonly name: string;
}

/** A release that can be prepared. */
export interface Release extends OsRelease {
  /** The suite that has Incus: the release itself, or its backports. */
  readonly incusSuite: string;
  /** The archive component that has Incus. */
  readonly incusComponent: 'main' | 'universe';
}

/** Parses os-release(5): shell-like assignments, values optionally quoted. */
export function parseOsRelease(text: string): OsRelease {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z0-9_]+)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(.*?))\s*$/.exec(line);
    if (match === null) continue;
    values.set(match[1] ?? '', (match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? match[4] ?? '').trim());
  }
  const id = values.get('ID') ?? 'linux';
  const versionId = values.get('VERSION_ID') ?? '';
  return {
    id,
    versionId,
    codename: values.get('VERSION_CODENAME') ?? '',
    name: values.get('PRETTY_NAME') ?? `${id} ${versionId}`.trim(),
  };
}

/** Returns the release if it can be prepared. Throws `settings`, with the supported releases, for any other. */
export function supportedRelease(os: OsRelease): Release {
  if (os.id === 'debian' && os.versionId === '12')
    return { ...os, codename: 'bookworm', incusSuite: 'bookworm-backports', incusComponent: 'main' };
  if (os.id === 'debian' && os.versionId === '13')
    return { ...os, codename: 'trixie', incusSuite: 'trixie', incusComponent: 'main' };
  if (os.id === 'ubuntu' && os.versionId === '24.04')
    return { ...os, codename: 'noble', incusSuite: 'noble', incusComponent: 'universe' };
  throw new Failure('settings', {
    what: `this machine ("${os.name}")`,
    why: 'only Debian 12, Debian 13 and Ubuntu 24.04 can be prepared automatically',
    next:
      'install Incus 6.0 or later, dnsmasq, nftables, attr, uidmap, squashfs-tools, zstd, lxcfs, the tools of ZFS or btrfs, and OpenSSH by hand, ' +
      'run "incus admin init", and start again',
    details: { id: os.id, versionId: os.versionId },
  });
}

/** Reads this machine's release. */
export async function readOsRelease(): Promise<OsRelease> {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      return parseOsRelease(await readFile(path, 'utf8'));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  return { id: process.platform, versionId: '', codename: '', name: process.platform };
}
