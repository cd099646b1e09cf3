/**
 * Which release this machine runs, and where that release keeps Incus. Only releases that this was tried on are
 * prepared; everything else is told what to install by hand.
 */
import { readFile } from 'node:fs/promises';
import { Failure } from '../domain/failure.ts';

/** What /etc/os-release says (os-release(5)). */
export interface OsRelease {
  readonly id: string;
  readonly versionId: string;
  readonly codename: string;
  readonly name: string;
}

/** A release that can be prepared. */
export interface Release extends OsRelease {
  /** The suite that holds Incus: the release itself, or its backports. */
  readonly incusSuite: string;
  /** The archive component that holds Incus. */
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

/** The release as one that can be prepared, or a failure (`settings`) that says what is supported. */
export function supportedRelease(os: OsRelease): Release {
  if (os.id === 'debian' && os.versionId === '12')
    return { ...os, codename: 'bookworm', incusSuite: 'bookworm-backports', incusComponent: 'main' };
  if (os.id === 'debian' && os.versionId === '13')
    return { ...os, codename: 'trixie', incusSuite: 'trixie', incusComponent: 'main' };
  if (os.id === 'ubuntu' && os.versionId === '24.04')
    return { ...os, codename: 'noble', incusSuite: 'noble', incusComponent: 'universe' };
  throw new Failure('settings', {
    what: `this machine ("${os.name}")`,
    why: 'it can be prepared automatically on Debian 12, Debian 13 and Ubuntu 24.04 only',
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
