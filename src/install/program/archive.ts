/** Verifies and unpacks the archive of a release. */
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
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
 * Unpacks an archive beside the installed releases, after its checksum was compared; then every file is compared with
 * the list in the archive. Rejects with `release-damaged` or `not-found`, and leaves nothing.
 */
export async function unpack(archive: string, sha256: string | undefined): Promise<Release> {
  const actual = await sha256Of(archive).catch((error: unknown) => {
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
  if (actual !== (sha256 ?? (await publishedSum(archive))))
    throw refused(archive, `its checksum is another one: ${actual}`, 'fetch it again');
  const [, arch] = archiveName.exec(basename(archive)) ?? [];
  if (arch !== undefined && arch !== process.arch)
    throw refused(
      archive,
      `it is for ${arch}, but this machine is ${process.arch}`,
      `take the one for ${process.arch}`,
    );
  await mkdir(releasesFolder, { recursive: true, mode: 0o755 });
  const folder = await mkdtemp(join(releasesFolder, '.unpacked-'));
  try {
    await run('tar', ['--extract', '--gzip', '--no-same-owner', '--file', resolve(archive), '--directory', folder], {
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
  }
}
