/** Failures of a server, from the status of a call (grpc/status.ts is the other direction). */
import type { IncomingHttpHeaders } from 'node:http2';
import { fromBinary } from '@bufbuild/protobuf';
import { Failure, failureCodes, type FailureCode } from '../../domain/failure.ts';
import { errorDomain } from '../../grpc/errorDomain.ts';
import { ErrorInfoSchema, StatusSchema, type ErrorInfo } from '../../grpc/generated/google/rpc/status_pb.ts';

/** Status codes of gRPC (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
const status = { ok: 0, cancelled: 1, deadlineExceeded: 4, unimplemented: 12 } as const;

/** Returns the failure that the last headers of a call tell; undefined if it has succeeded. */
export function failureOf(headers: IncomingHttpHeaders): Failure | undefined {
  const code = Number(headers['grpc-status'] ?? Number.NaN);
  if (code === status.ok) return undefined;
  const info = infoOf(headers['grpc-status-details-bin']);
  const { code: ours, what = '', why = '', next } = info?.metadata ?? {};
  if (info?.domain === errorDomain && isCode(ours))
    return new Failure(ours, { what, why, ...(next === undefined ? {} : { next }) });
  const said = messageOf(headers['grpc-message']);
  switch (code) {
    case status.cancelled:
      return new Failure('cancelled', { what: 'the call', why: 'it was cancelled' });
    case status.deadlineExceeded:
      return new Failure('timeout', { what: 'the server', why: 'it did not answer in time' });
    case status.unimplemented:
      return unavailable('it does not offer this', 'it may run an older version');
    default:
      return unavailable(said === '' ? 'it does not answer as a server of gRPC' : said);
  }
}

/** Returns the failure of a call whose connection ended, for `why`. */
export function unavailable(
  why: string,
  next = 'check its address, and that it runs and can be reached from here',
  cause?: unknown,
): Failure {
  return new Failure('core-unavailable', { what: 'the server', why, next }, cause);
}

/** Why there is no connection, by the code of Node.js (https://nodejs.org/api/tls.html#x509-certificate-error-codes). */
const ofCertificates: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not of the CA in ca.crt',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not of the CA in ca.crt',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not of the CA in ca.crt',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not of the CA in ca.crt',
  CERT_SIGNATURE_FAILURE: 'its certificate is not of the CA in ca.crt',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: compare the clocks',
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no address is known for this name',
};

/** Returns the failure of a connection that was not made. */
export function unreachable(address: string, error: unknown): Failure {
  const { code = '', message = String(error) } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  const why =
    ofCertificates[code] ??
    // OpenSSL's texts for an answer that is no TLS.
    (/wrong version number|packet length too long|record layer/i.test(message) ? 'it does not speak TLS' : message);
  return new Failure(
    'core-unavailable',
    {
      what: `the server at ${address}`,
      why: `no connection to it was made: ${why}`,
      next: 'check the address and the certificates: openssl s_client -connect shows more',
    },
    error,
  );
}

/** Returns the failure of a client whose certificate a server refuses, from an alert of TLS (RFC 8446, section 6.2). */
export function refusal(error: Error, name: string): Failure | undefined {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (!/ALERT/.test(code) || !/CERT|CA$|ACCESS|DECRYPT/.test(code)) return undefined;
  return new Failure(
    'denied',
    {
      what: `the certificate of ${name}`,
      why: 'the server refuses it',
      next: `an admin makes a new one: "cert issue ${name}"`,
    },
    error,
  );
}

/** Reads google.rpc.Status; undefined if there is no ErrorInfo in it. */
function infoOf(header: string | string[] | undefined): ErrorInfo | undefined {
  if (typeof header !== 'string') return undefined;
  try {
    const { details } = fromBinary(StatusSchema, Buffer.from(header, 'base64'));
    const found = details.find(({ typeUrl }) => typeUrl.endsWith(`/${ErrorInfoSchema.typeName}`));
    return found === undefined ? undefined : fromBinary(ErrorInfoSchema, found.value);
  } catch {
    return undefined;
  }
}

/** Returns the message, which is percent-encoded (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). */
function messageOf(header: string | string[] | undefined): string {
  if (typeof header !== 'string') return '';
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}

function isCode(code: string | undefined): code is FailureCode {
  return code !== undefined && Object.hasOwn(failureCodes, code);
}
