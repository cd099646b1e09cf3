import { Failure, type FailureCode } from '../../../src/domain/failure.ts';

/** Returns the failure that `action` throws. Any other outcome fails the test. */
export function failing(action: () => unknown): Failure {
  let result: unknown;
  try {
    result = action();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error(`expected a failure, got ${JSON.stringify(result)}`);
}

/** Returns the code of the failure that `action` throws. */
export function codeOf(action: () => unknown): FailureCode {
  return failing(action).code;
}
