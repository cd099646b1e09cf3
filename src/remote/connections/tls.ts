/** The TLS of the remote interface: both sides present certificates (RFC 8446), and the protocol is HTTP/2. */
import { constants } from 'node:crypto';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { RemoteStart, RemoteTls } from '../../protocol/messages.ts';

/** The strong suites of TLS 1.2 that clients of gRPC offer (RFC 9325, section 4.2); those of 1.3 are all strong. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export function tlsOptions({ minTlsVersion, limits }: RemoteStart, tls: RemoteTls): TlsOptions {
  return {
    ...contextOptions(tls, minTlsVersion),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
    handshakeTimeout: limits.handshakeMs,
  };
}

export function contextOptions(
  { authority, certificate, key }: RemoteTls,
  minTlsVersion: RemoteStart['minTlsVersion'],
): SecureContextOptions {
  return {
    ca: authority,
    cert: certificate,
    key,
    minVersion: `TLSv${minTlsVersion}`,
    ciphers,
    honorCipherOrder: true,
    // Nothing is resumed: a session of before would let a client in without its certificate.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
