/** What is known against a backup. */
import { Failure } from '../domain/failure.ts';
import type { Part } from './layout.ts';
import type { Manifest, Verification } from './manifest.ts';

export function missingText(part: Part): string {
  return part === 'files' ? 'its list of files is missing' : `its ${part} is missing`;
}

/** Returns why a backup should not be relied on, as a clause; undefined if nothing is known against it. */
export function troubleOf(
  manifest: Manifest | Failure,
  missing: Part | undefined,
  verification: Verification | Failure | undefined,
): string | undefined {
  if (manifest instanceof Failure) return manifest.why;
  if (missing !== undefined) return missingText(missing);
  if (verification === undefined || verification instanceof Failure || !('failedAt' in verification)) return undefined;
  return `its verification failed on ${verification.failedAt.slice(0, 10)}: ${verification.why}`;
}
