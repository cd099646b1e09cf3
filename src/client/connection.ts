/** A connection to the remote interface of a server: gRPC over mutual TLS. */
import { isIP } from 'node:net';
import { createClient, type Client } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { Failure } from '../domain/failure.ts';
import { VerbService } from '../grpc/generated/containarium/v1/verbs_pb.ts';
import type { ClientIdentity } from './certificates.ts';

export interface Connection {
  readonly service: Client<typeof VerbService>;
  close(): void;
}

/** Longest answer, in bytes: `list` of a thousand containers is about one MiB. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** How long to wait for a connection, in milliseconds. */
const connectMs = 10_000;

/** Connects. Rejects with `core-unavailable`. */
export async function connect(address: string, identity: ClientIdentity): Promise<Connection> {
  const { authority: ca, certificate: cert, key } = identity;
  const url = `https://${address}`;
  const { hostname } = parsed(url, address);
  const session = new Http2SessionManager(
    url,
    { pingIntervalMs: 30_000, pingTimeoutMs: 20_000, connectTimeoutMs: connectMs },
    // An address in place of a name cannot be sent in the handshake (RFC 6066). It is checked all the same.
    { ca, cert, key, minVersion: 'TLSv1.2', ...(isIP(hostname) === 0 ? {} : { servername: '' }) },
  );
  if ((await session.connect()) === 'error') {
    const error = session.error();
    session.abort();
    throw new Failure(
      'core-unavailable',
      {
        what: `the server at ${address}`,
        why: `no connection to it was made${reason(error)}`,
        next: 'check the address and the certificates: openssl s_client -connect shows more',
      },
      error,
    );
  }
  const transport = createGrpcTransport({
    baseUrl: url,
    sessionManager: session,
    readMaxBytes: maxAnswerBytes,
    acceptCompression: [],
  });
  return { service: createClient(VerbService, transport), close: () => session.abort() };
}

function parsed(url: string, address: string): { readonly hostname: string } {
  try {
    const { hostname } = new URL(url);
    return { hostname: hostname.replace(/^\[|\]$/g, '') };
  } catch (error) {
    throw new Failure(
      'usage',
      { what: `the server "${address}"`, why: 'it is not an address', next: 'for example jump.example.org:50051' },
      error,
    );
  }
}

function reason(error: unknown): string {
  const { cause } = error instanceof Error ? error : {};
  const text = cause instanceof Error ? cause.message : error instanceof Error ? error.message : '';
  return text === '' ? '' : ` (${text})`;
}
