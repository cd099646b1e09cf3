/** Failures of a server, from the status of a call (grpc/status.ts is the other direction). */
import { Code, ConnectError } from '@connectrpc/connect';
import { Failure, failureCodes, type FailureCode } from '../domain/failure.ts';
import { errorDomain } from '../grpc/errorDomain.ts';
import { ErrorInfoSchema } from '../grpc/generated/google/rpc/status_pb.ts';

/** Returns the failure of a call. */
export function fromStatus(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const error = ConnectError.from(thrown);
  const info = error.findDetails(ErrorInfoSchema).find(({ domain }) => domain === errorDomain);
  const { code: ours, what = '', why = '', next } = info?.metadata ?? {};
  if (isCode(ours)) return new Failure(ours, { what, why, ...(next === undefined ? {} : { next }) }, error);
  switch (error.code) {
    case Code.Canceled:
      return new Failure('cancelled', { what: 'the call', why: 'it was cancelled' }, error);
    case Code.DeadlineExceeded:
      return new Failure('timeout', { what: 'the server', why: 'it did not answer in time' }, error);
    case Code.Unimplemented:
      return new Failure(
        'core-unavailable',
        { what: 'the server', why: 'it does not offer this', next: 'it may run an older version' },
        error,
      );
    default: {
      const said = error.rawMessage === '' ? 'it does not answer' : error.rawMessage;
      const advice = 'check its address, and that it runs and can be reached from here';
      return new Failure('core-unavailable', { what: 'the server', why: said, next: advice }, error);
    }
  }
}

function isCode(code: string | undefined): code is FailureCode {
  return code !== undefined && Object.hasOwn(failureCodes, code);
}
