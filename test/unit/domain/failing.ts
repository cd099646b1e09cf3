import { Failure, type FailureCode } from '../../../src/domain/failure.ts';

/** The failure that `action` throws; anything else that happens is an error of the test. */
export function failing(action: () => unknown): Failure {
  let result: unknown;
  try {
    result = action();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error(`no failure, but ${JSON.stringify(result)}`);
}

/** The code of the failure that `action` throws. */
export function codeOf(action: () => unknown): FailureCode {
  return failing(action).code;
}
