/**
 * Reads client certificates of the remote interface (X.509, RFC 5280). The remote process has verified in the TLS
 * handshake that the client has the key (RFC 8446, section 4.4.3); everything else is checked here, in core.
 */
import { X509Certificate } from 'node:crypto';
import { commonNameOf } from '../domain/access/commonName.ts';
import type { RemoteTrust } from '../domain/access/directory.ts';

/** A certificate that the CA has signed for clients. Its validity and revocation are still unchecked. */
export interface ClientCertificate {
  /** The admin whom it names. */
  readonly name: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** `SHA256:…`, of the whole certificate, without padding as OpenSSH prints those of keys. */
  readonly fingerprint: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The purpose "TLS client" (RFC 5280, section 4.2.1.12). */
const clientAuth = '1.3.6.1.5.5.7.3.2';

/** Number of verified certificates that are remembered, because every call checks them again. */
const maxRemembered = 4096;

export class ClientCertificates {
  #authority: X509Certificate | undefined;
  #revoked: ReadonlySet<string> = new Set();
  readonly #read = new Map<string, ClientCertificate>();

  replace(trust: RemoteTrust | undefined): void {
    this.#read.clear();
    this.#authority = trust === undefined ? undefined : new X509Certificate(trust.authority);
    this.#revoked = new Set(trust?.revoked);
  }

  isRevoked({ serial }: ClientCertificate): boolean {
    return this.#revoked.has(serial);
  }

  /** Returns the certificate (DER, base64) if the CA has signed it for a client; undefined otherwise. */
  read(der: string): ClientCertificate | undefined {
    const cached = this.#read.get(der);
    if (cached !== undefined) return cached;
    const certificate = this.#verify(der);
    if (certificate === undefined) return undefined;
    const [oldest] = this.#read.keys();
    if (this.#read.size >= maxRemembered && oldest !== undefined) this.#read.delete(oldest);
    this.#read.set(der, certificate);
    return certificate;
  }

  #verify(der: string): ClientCertificate | undefined {
    if (this.#authority === undefined) return undefined;
    try {
      const certificate = new X509Certificate(Buffer.from(der, 'base64'));
      const name = commonNameOf(certificate);
      if (
        // Several names would let the certificate choose whose it is.
        name === undefined ||
        certificate.ca ||
        !certificate.checkIssued(this.#authority) ||
        !certificate.verify(this.#authority.publicKey) ||
        !(certificate.keyUsage as readonly string[] | undefined)?.includes(clientAuth)
      )
        return undefined;
      return {
        name,
        serial: certificate.serialNumber.toLowerCase(),
        fingerprint: fingerprintOf(certificate),
        notBeforeMs: certificate.validFromDate.getTime(),
        notAfterMs: certificate.validToDate.getTime(),
      };
    } catch {
      return undefined;
    }
  }
}

/** Returns the SHA-256 of a certificate, `SHA256:…`. */
function fingerprintOf({ fingerprint256 }: X509Certificate): string {
  const base64 = Buffer.from(fingerprint256.replaceAll(':', ''), 'hex').toString('base64');
  return `SHA256:${base64.replace(/=$/, '')}`;
}
