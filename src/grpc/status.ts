/**
 * Failures as the status of a gRPC call (client/failures.ts is the other direction). The details are a google.rpc.ErrorInfo (https://google.aip.dev/193),
 * so that every client can read our code, what failed, why, and what to do next.
 */
import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { Failure, failureCodes, type ExitName, type FailureCode } from '../domain/failure.ts';
import { encodeStatus } from './details.ts';
import { errorDomain } from './errorDomain.ts';

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
  'backup-damaged': status.DATA_LOSS,
  'release-damaged': status.DATA_LOSS,
};

const detailsKey = 'grpc-status-details-bin';

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
        domain: errorDomain,
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
