/** Waits for an instance that Incus changes already. */
import pRetry from 'p-retry';
import { Failure, isFailure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';

/**
 * Matches the error of Incus for a change that it has not begun because it runs another one of the same instance
 * (incus 6.0, operationlock.go). Incus also stops an instance by itself, for example when its init ends.
 */
const busy = /Instance is busy running a "([^"]+)" operation/;
/**
 * Matches the error of Incus for the volume of a stopped instance that something still has mounted: its file server,
 * for a while after a file was read or written, or a start that has failed (incus 6.0, storage/errors.go). On ZFS a
 * rename finds that out later, and Incus takes it back (seen with incus 6.0.4: the folder is still a mount point).
 */
const inUse = /^Error: (?:.*: )?(?:In use|rename \/\S+ \/\S+: device or resource busy)$/m;

/**
 * Runs a change of an instance, and repeats it while Incus refuses to begin it because of another one. Rejects with
 * `busy` if the other one does not end within `withinMs`.
 */
export async function whenFree<T>(instance: string, change: () => Promise<T>, withinMs: number): Promise<T> {
  try {
    return await pRetry(change, {
      retries: Infinity,
      maxRetryTime: withinMs,
      minTimeout: 200,
      factor: 1.5,
      maxTimeout: 2000,
      shouldRetry: ({ error }) => otherChange(error) !== undefined,
    });
  } catch (error) {
    const other = otherChange(error);
    if (other === undefined) throw error;
    throw new Failure(
      'busy',
      {
        what: `instance ${quoted(instance)}`,
        why: `Incus has been running another operation on it for more than ${withinMs / 1000} s: ${other}`,
        next: 'repeat this later; "incus operation list" shows what Incus does',
      },
      error,
    );
  }
}

/** Returns the name of the change for which Incus refused one, for example `stop`. */
function otherChange(error: unknown): string | undefined {
  if (!isFailure(error, 'program-failed')) return undefined;
  const text = String(error.details?.['stderr']);
  return busy.exec(text)?.[1] ?? (inUse.test(text) ? 'its files are in use' : undefined);
}
