/** Verifies and unpacks the archive of a release. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { run } from '../../prepare/programs.ts';
import { releasesFolder } from './layout.ts';
import { releaseIn, sha256Of, verifyRelease, type Release } from './release.ts';

const unpackMs = 5 * 60_000;
const archiveName = /^containarium-\d+\.\d+\.\d+-linux-(x64|arm64)\.tar\.gz$/;

function refused(archive: string, why: string, next: string): Failure {
  return new Failure('release-damaged', { what: `archive ${quoted(basename(archive))}`, why, next });
}

/** Returns the checksum that the file SHA256SUMS beside the archive has for it. */
async function publishedSum(archive: string): Promise<string> {
  const path = join(dirname(resolve(archive)), 'SHA256SUMS');
  const text = await readFile(path, 'utf8').catch(() => '');
  for (const line of text.split('\n')) {
    const [, sum, name] = /^([0-9a-f]{64}) [ *](\S+)$/.exec(line) ?? [];
    if (sum !== undefined && name === basename(archive)) return sum;
  }
  throw refused(
    archive,
    'there is no checksum to compare it with',
    'put the SHA256SUMS of the release beside it, or give the checksum: --sha256',
  );
}

/**
 * Copies the archive to where root alone can write. What is compared and what is unpacked is this copy: another account
 * may put a second file in the place of the first at any time.
 */
async function copied(archive: string, copy: string): Promise<void> {
  const source = createReadStream(archive);
  await pipeline(source, createWriteStream(copy, { flags: 'wx', mode: 0o600 })).catch((error: unknown) => {
    throw new Failure(
      'not-found',
      {
        what: `archive ${quoted(archive)}`,
        why: error instanceof Error ? error.message : String(error),
        next: 'name the .tar.gz of a release',
      },
      error,
    );
  });
}

/**
 * Unpacks an archive beside the installed releases, after its checksum was compared; then every file is compared with
 * the list in the archive. Rejects with `release-damaged` or `not-found`, and leaves nothing.
 */
export async function unpack(
  archive: string,
  sha256: string | undefined,
  releases: string = releasesFolder,
): Promise<Release> {
  await mkdir(releases, { recursive: true, mode: 0o755 });
  const folder = await mkdtemp(join(releases, '.unpacked-'));
  const copy = `${folder}.tar.gz`;
  try {
    await copied(archive, copy);
    await requireIntact(archive, copy, sha256);
    await run('tar', ['--extract', '--gzip', '--no-same-owner', '--file', copy, '--directory', folder], {
      timeoutMs: unpackMs,
    });
    const [name, ...more] = await readdir(folder);
    if (name === undefined || more.length > 0)
      throw refused(archive, 'it does not have one folder', 'take the archive of a release');
    const release = await releaseIn(join(folder, name));
    await verifyRelease(release.folder);
    return release;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    await rm(copy, { force: true });
  }
}

/** Compares the copy with the checksum of the archive, and the architecture in its name with that of this machine. */
async function requireIntact(archive: string, copy: string, sha256: string | undefined): Promise<void> {
  const actual = await sha256Of(copy);
  if (actual !== (sha256 ?? (await publishedSum(archive))))
    throw refused(archive, `its checksum is another one: ${actual}`, 'fetch it again');
  const [, arch] = archiveName.exec(basename(archive)) ?? [];
  if (arch !== undefined && arch !== process.arch)
    throw refused(
      archive,
      `it is for ${arch}, but this machine is ${process.arch}`,
      `take the one for ${process.arch}`,
    );
}
