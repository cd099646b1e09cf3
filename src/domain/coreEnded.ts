import { Failure } from './failure.ts';

/** Returns the failure of a call that core has not answered: its process has ended. */
export function coreEnded(cause?: unknown): Failure {
  return new Failure(
    'core-unavailable',
    {
      what: 'the server',
      why: 'its privileged process ended before it answered',
      next: 'check the result with "list" and "doctor", and try again; the server finishes or undoes operations by itself',
    },
    cause,
  );
}
