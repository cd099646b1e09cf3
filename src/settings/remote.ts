/** Settings of the remote interface. */
import * as z from 'zod';
import { parsedText } from '../domain/check.ts';
import { isLoopback } from '../domain/values/network.ts';
import { parseAddressAndPort } from './addressAndPort.ts';
import { absolutePath, name, timeMs } from './types.ts';

const count = z.number().int().min(1).max(100_000);

export const remoteSettings = z
  .strictObject({
    listen: parsedText(parseAddressAndPort)
      .meta({ title: 'address:port' })
      .optional()
      .describe(
        'Address and port of the remote interface (gRPC over mutual TLS), for example `0.0.0.0:50051`. Not set by default: the remote interface is off. It starts when there are certificates (`cert generate`).',
      ),
    certificatesFolder: absolutePath
      .optional()
      .describe(
        'Folder of `ca.crt`, `ca.key`, `server.crt` and `server.key`. Default: `certs` in the home of the server.',
      ),
    insecureAs: name
      .optional()
      .describe(
        'Name of an admin. The remote interface then has no TLS and needs no certificates: each client acts as this admin, so `listen` must be a loopback address. Every account of the host reaches that; use it only where you trust them all.',
      ),
    minTlsVersion: z
      .enum(['1.2', '1.3'])
      .default('1.3')
      .describe('Oldest version of TLS that is accepted. Set `1.2` for clients that do not know 1.3 (RFC 8446).'),
    accessVerbs: z
      .boolean()
      .default(false)
      .describe(
        'Allow the verbs that change who may come in (`admin`, `key`, `cert`, `ca`, `ban`, …) over the remote interface. Over ssh they are always allowed.',
      ),
    handshakeMs: timeMs
      .min(100)
      .default(10_000)
      .describe('Time within which a client must complete its TLS handshake and present its certificate.'),
    idleMs: timeMs
      .default(900_000)
      .describe('Time after which a connection without a call is closed; 0 for never. A terminal session is a call.'),
    unreadMs: timeMs
      .default(3_600_000)
      .describe(
        'Time after which a connection is closed whose client takes none of the output that waits for it; 0 for never.',
      ),
    maxConnectionMs: timeMs
      .default(0)
      .describe(
        'Longest duration of a connection, more or less a tenth; 0 for no limit. The client is told to connect again, and calls have a minute to end.',
      ),
    maxConnections: count.default(1000).describe('Number of open connections.'),
    maxConnectionsPerSource: count
      .default(100)
      .describe('Number of open connections of one source: an IPv4 address, or the /64 network of an IPv6 address.'),
    maxStreams: count.default(100).describe('Number of calls at the same time on one connection.'),
  })
  .refine(({ insecureAs, listen }) => insecureAs === undefined || listen === undefined || isLoopback(listen.address), {
    path: ['listen'],
    error: 'must be a loopback address if insecureAs is set: 127.0.0.1 or ::1',
  })
  .prefault({})
  .describe(
    'The remote interface. Times are in milliseconds. Limits of pending logins and penalties are those of `ssh`.',
  );
