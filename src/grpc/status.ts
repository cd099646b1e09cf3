/**
 * Failures as the status of a gRPC call, and back. The details are a google.rpc.ErrorInfo (https://google.aip.dev/193),
 * so that every client can read our code, what failed, why, and what to do next.
 */
import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { Failure, failureCodes, isFailure, type ExitName, type FailureCode } from '../domain/failure.ts';
import { decodeStatus, encodeStatus } from './details.ts';

const byExit: Readonly<Record<ExitName, status>> = {
  ok: status.OK,
  failed: status.INTERNAL,
  usage: status.INVALID_ARGUMENT,
  notFound: status.NOT_FOUND,
  denied: status.PERMISSION_DENIED,
  conflict: status.FAILED_PRECONDITION,
  partial: status.ABORTED,
  timeout: status.DEADLINE_EXCEEDED,
  unavailable: status.UNAVAILABLE,
  cancelled: status.CANCELLED,
};

/** Codes for which gRPC has a better word than for the others with their exit code. */
const byCode: Partial<Record<FailureCode, status>> = {
  exists: status.ALREADY_EXISTS,
  'no-space': status.RESOURCE_EXHAUSTED,
  busy: status.UNAVAILABLE,
  'journal-damaged': status.DATA_LOSS,
};

const detailsKey = 'grpc-status-details-bin';
const domain = 'containarium';

function statusOf(code: FailureCode): status {
  return byCode[code] ?? byExit[failureCodes[code]];
}

/** Returns the status of a call for its failure. */
export function toStatus(error: unknown): StatusObject {
  const { code, what, why, next, details } = Failure.from(error).toData();
  const message = `${what}: ${why}${next === undefined ? '' : `. Next: ${next}`}`;
  const metadata = new Metadata();
  metadata.set(
    detailsKey,
    encodeStatus({
      code: statusOf(code),
      message,
      info: {
        reason: code.replaceAll('-', '_').toUpperCase(),
        domain,
        metadata: {
          code,
          what,
          why,
          ...(next === undefined ? {} : { next }),
          ...(details === undefined ? {} : { details: JSON.stringify(details) }),
        },
      },
    }),
  );
  return { code: statusOf(code), details: message, metadata };
}

/** Returns the failure of a call that was answered with a status. */
export function fromStatus(error: unknown): Failure {
  if (isFailure(error)) return error;
  const { code, details, metadata } = error as Partial<ServiceError>;
  const [encoded] = metadata?.get(detailsKey) ?? [];
  const info = Buffer.isBuffer(encoded) ? decodeStatus(encoded) : undefined;
  if (info?.domain === domain && isCode(info.metadata['code'])) {
    const { what = '', why = '', next } = info.metadata;
    return new Failure(info.metadata['code'], { what, why, ...(next === undefined ? {} : { next }) }, error);
  }
  const why = details === undefined || details === '' ? 'it does not answer' : details;
  if (code === status.CANCELLED) return new Failure('cancelled', { what: 'the call', why: 'it was cancelled' }, error);
  if (code === status.DEADLINE_EXCEEDED)
    return new Failure('timeout', { what: 'the server', why: 'it did not answer in time' }, error);
  if (code === status.UNIMPLEMENTED)
    return new Failure(
      'core-unavailable',
      { what: 'the server', why: 'it does not offer this', next: 'it may run an older version' },
      error,
    );
  return new Failure(
    'core-unavailable',
    { what: 'the server', why, next: 'check its address, and that it runs and reaches from here' },
    error,
  );
}

function isCode(code: string | undefined): code is FailureCode {
  return code !== undefined && Object.hasOwn(failureCodes, code);
}
