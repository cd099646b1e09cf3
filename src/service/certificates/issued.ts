/** What the capabilities of certificates have in common: how long one lasts, and the answer that carries it. */
import type { CertificateFile, CertificateIssued } from '../../domain/results/certificates.ts';
import { dayMs } from '../../domain/values/duration.ts';
import { namesOf, type ServerIdentity } from './certificateStore.ts';
import type { IssuedCertificate } from './x509.ts';

/** Validity of certificates, in milliseconds. */
export const serverMs = 365 * dayMs;
export const clientMs = 365 * dayMs;

/** Under which names and addresses clients dial the server. */
export interface Names {
  readonly serverIp?: readonly string[] | undefined;
  readonly serverName?: readonly string[] | undefined;
}

/** What a client dials. */
interface Dialled {
  readonly server: ServerIdentity | undefined;
  /** Absent while the remote interface is off. */
  readonly listen: { readonly port: number } | undefined;
}

/** Returns the answer that carries a client certificate, its key and the CA, with further files in `own`. */
export function issued(
  { server, listen }: Dialled,
  admin: string,
  { serial, notAfter, certificate, key }: IssuedCertificate,
  authority: string,
  own: readonly CertificateFile[] = [],
): CertificateIssued {
  const [name] = server === undefined ? [] : allNames(server.certificate);
  return {
    admin,
    serial,
    expiresAt: notAfter.toISOString(),
    files: [
      { name: 'ca.crt', content: authority },
      { name: 'client.crt', content: certificate },
      { name: 'client.key', content: key },
      ...own,
    ],
    command: `containarium --server ${name ?? 'HOST'}:${listen?.port ?? 50_051}`,
    warnings:
      listen === undefined
        ? ['The remote interface is off: set remote.listen, for example to 0.0.0.0:50051, and restart the server.']
        : [],
  };
}

/** Returns all names and addresses of a server certificate. */
export function allNames(certificate: string): string[] {
  const { dns, ips } = namesOf(certificate);
  return [...dns, ...ips];
}
