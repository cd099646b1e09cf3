/** How an operation says that it was not made, or not to its end. */
import { presentCancellation } from '../domain/cancellation.ts';
import { Failure } from '../domain/failure.ts';
import type { OpenOperation } from './openOperations.ts';

type Named = Pick<OpenOperation, 'id' | 'verb' | 'target' | 'isMade'>;

/** Returns the failure of an operation that its caller has cancelled; undefined if the caller has not. */
export function asCancelled({ verb, target }: Named, error: unknown): Failure | undefined {
  if (presentCancellation()?.aborted !== true) return undefined;
  const text = { what: `"${verb} ${target}"`, why: 'it was cancelled, and what it had done was undone' };
  return new Failure('cancelled', text, error);
}

/** Returns the failure of an operation whose change is made, but not what came after it. */
export function laterStepFailed({ id, verb, target }: Named, { what, why }: Failure, error: unknown): Failure {
  return new Failure(
    'partial',
    {
      what: `"${verb} ${target}"`,
      why: `the change was made, but a later step failed: ${what}: ${why}`,
      next: 'run "reconcile" and "doctor" to see what remains to be done',
      details: { operation: id },
    },
    error,
  );
}

/** Returns the failure of an operation that stays open. */
export function notEnded({ id, verb, target, isMade }: Named, failed: Failure | undefined, cause: Failure): Failure {
  const how = failed === undefined ? 'it was interrupted' : `it failed (${failed.what}: ${failed.why})`;
  const open =
    isMade === true
      ? 'the change was made, but what it had needed for that could not be removed'
      : `${how}, and it could be neither completed nor undone`;
  return new Failure(
    'partial',
    {
      what: `"${verb} ${target}"`,
      why: `${open}: ${cause.what}: ${cause.why}`,
      next: 'the server will try again by itself; "reconcile" shows what differs, and "doctor" what is wrong with the host',
      details: { operation: id },
    },
    cause,
  );
}
