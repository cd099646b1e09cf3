/** A release on this machine: the unpacked archive, or an installed one. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, isAbsolute, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { run } from '../../prepare/programs.ts';

export interface Release {
  /** Where it lies. */
  readonly folder: string;
  readonly version: string;
  /** SHA-256 of its list of checksums, as hexadecimal digits: two releases with the same one have the same files. */
  readonly id: string;
}

const sumsFile = 'SHA256SUMS';
/** Length of what precedes the path in a line of sha256sum(1): 64 digits, and two characters. */
const sumLength = 66;
const verifyMs = 10 * 60_000;

/** Returns the SHA-256 of a file as hexadecimal digits. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Returns the release in a folder. Throws `settings` if there is none. */
export async function releaseIn(folder: string): Promise<Release> {
  try {
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version?: unknown };
    if (typeof version !== 'string' || !/^\d+\.\d+\.\d+$/.test(version)) throw new Error('package.json has no version');
    return { folder, version, id: await sha256Of(join(folder, sumsFile)) };
  } catch (error) {
    throw new Failure(
      'settings',
      {
        what: `the release in ${folder}`,
        why: `it is not complete: ${error instanceof Error ? error.message : String(error)}`,
        next: 'unpack the archive of a release, and run its install.sh',
      },
      error,
    );
  }
}

function damaged(path: string, why: string): Failure {
  return new Failure('release-damaged', {
    what: `file ${quoted(path)} of the release`,
    why,
    next: 'fetch the archive again',
  });
}

/**
 * Compares every file of a release with its checksums, by sha256sum(1). Throws `release-damaged`, with the first file
 * that differs, is missing, or is not in the list. sha256sum follows links, which the list cannot name: only those are
 * allowed by which npm names the programs of packages, and they must lead to a listed file.
 */
export async function verifyRelease(folder: string): Promise<void> {
  const args = ['--check', '--quiet', '--strict', sumsFile];
  const { stdout, stderr, exitCode } = await run('sha256sum', args, {
    cwd: folder,
    timeoutMs: verifyMs,
    allowExit: 'any',
  });
  const [, differing, unread] = /^(.*): FAILED( open or read)?$/m.exec(stdout) ?? [];
  if (differing !== undefined)
    throw damaged(differing, unread === undefined ? 'its checksum differs' : 'it is missing or cannot be read');
  if (exitCode !== 0) throw damaged(sumsFile, stderr.trim().split('\n').at(-1) ?? 'sha256sum cannot read it');
  const listed = await readFile(join(folder, sumsFile), 'utf8');
  const known = new Set(listed.split('\n').map((line) => line.slice(sumLength)));
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (entry.isSymbolicLink()) {
      const target = await readlink(join(folder, path));
      const isProgramName = basename(entry.parentPath) === '.bin' && !known.has(path);
      if (!isProgramName || isAbsolute(target) || !known.has(join(path, '..', target)))
        throw damaged(path, `it is a link to ${quoted(target)}, which no release has`);
      continue;
    }
    if (path !== sumsFile && !known.has(path)) throw damaged(path, 'the list of checksums does not have it');
  }
}
