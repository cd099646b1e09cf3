/** `cert issue`, `cert list`, `cert revoke`, `cert renew`. */
import { Failure } from '../domain/failure.ts';
import type {
  CertificateChange,
  CertificateInfo,
  CertificateIssued,
  CertificateList,
} from '../domain/results/certificates.ts';
import { plural, quoted } from '../domain/text.ts';
import { dayMs } from '../domain/values/duration.ts';
import { endOf, namesOf, noCertificates, serialsOf, type CertificateStore } from './certificates/certificateStore.ts';
import { allNames, clientMs, issued, serverMs, type Names } from './certificates/issued.ts';
import type { ServerNames } from './certificates/x509.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

/** Loaded when a certificate is made, which is rare: node-forge is as large as the rest of what core loads. */
const x509 = () => import('./certificates/x509.ts');

export async function issueCertificate(
  context: ServiceContext,
  { admin, expires }: { readonly admin: string; readonly expires?: string | undefined },
  call: Call,
): Promise<CertificateIssued> {
  const { certificates, admins, now } = context;
  if (!admins.list().some(({ name }) => name === admin))
    throw new Failure('not-found', {
      what: `admin ${quoted(admin)}`,
      why: 'no such admin',
      next: `"admin add ${admin} --certificate" adds one without a key, "admin list" shows all`,
    });
  const authority = await certificates.authority();
  const durationMs = expires === undefined ? clientMs : Date.parse(expires) - now().getTime();
  const { issueClientCertificate, validFor } = await x509();
  const client = await issueClientCertificate(
    authority,
    { commonName: admin, organization: 'Containarium' },
    validFor(durationMs, now()),
  );
  await certificates.add(admin, client, call.actor.name, now());
  const dialled = { server: certificates.server, listen: context.settings.remote.listen };
  return issued(dialled, admin, client, authority.certificate);
}

export function listCertificates(context: ServiceContext): Promise<CertificateList> {
  return Promise.resolve(listed(context));
}

function listed({ certificates, admins, settings, now }: ServiceContext): CertificateList {
  const { server, folder } = certificates;
  const known = new Set(admins.list().map(({ name }) => name));
  const at = now().toISOString();
  const { listen } = settings.remote;
  return {
    server:
      server === undefined
        ? null
        : {
            names: allNames(server.certificate),
            expiresAt: endOf(server.certificate).toISOString(),
            authorityExpiresAt: endOf(server.authority).toISOString(),
            folder,
            listen: listen === undefined ? null : `${listen.address}:${listen.port}`,
          },
    certificates: certificates.issued.map(
      ({ admin, serial, notAfter, issuedAt, issuedBy, revokedAt }): CertificateInfo => ({
        admin,
        serial,
        issuedAt,
        issuedBy,
        expiresAt: notAfter,
        revokedAt,
        state:
          revokedAt !== null ? 'revoked' : notAfter <= at ? 'expired' : known.has(admin) ? 'valid' : 'no such admin',
      }),
    ),
  };
}

export async function revokeRemoteCertificates(
  context: ServiceContext,
  { certificate }: { readonly certificate: string },
  { actor }: Call,
): Promise<CertificateChange> {
  const { certificates, now } = context;
  if (certificates.trust === undefined) throw noCertificates();
  const known = new Set(certificates.trust.revoked);
  const serials = serialsOf(certificates, certificate).filter((serial) => !known.has(serial));
  await certificates.revoke(serials, actor.name, now());
  const did =
    serials.length === 0 ? 'nothing to do: revoked already' : `${plural(serials.length, 'certificate')} revoked`;
  return { did, ...listed(context) };
}

/** Makes a new certificate for the server, with its present names if none are given. Open connections stay. */
export async function renewServerCertificate(
  context: ServiceContext,
  { serverIp, serverName, duration = serverMs }: Names & { readonly duration?: number | undefined },
): Promise<CertificateChange> {
  const { certificates, now } = context;
  const { server } = certificates;
  if (server === undefined) throw noCertificates();
  const isGiven = (serverIp?.length ?? 0) + (serverName?.length ?? 0) > 0;
  const names = isGiven ? { dns: serverName ?? [], ips: serverIp ?? [] } : namesOf(server.certificate);
  await renewServer(certificates, names, duration, now());
  return { did: 'the server has a new certificate', ...listed(context) };
}

async function renewServer(
  certificates: CertificateStore,
  names: ServerNames,
  durationMs: number,
  now: Date,
): Promise<void> {
  const { issueServerCertificate, validFor } = await x509();
  const authority = await certificates.authority();
  await certificates.replaceServer(
    await issueServerCertificate(
      authority,
      { commonName: 'containarium', organization: 'Containarium' },
      validFor(durationMs, now),
      names,
    ),
  );
}

/** How long before its end the server's own certificate is renewed, in milliseconds. */
const renewedBeforeMs = 30 * dayMs;

/** Renews the server's certificate if it ends soon. Resolves to whether it did. */
export async function renewIfNeeded(certificates: CertificateStore, now: Date): Promise<boolean> {
  const { server } = certificates;
  if (server === undefined) return false;
  const leftMs = endOf(server.certificate).getTime() - now.getTime();
  // No certificate outlives its CA.
  const gained = endOf(server.authority).getTime() - endOf(server.certificate).getTime();
  if (leftMs > renewedBeforeMs || gained < dayMs) return false;
  await renewServer(certificates, namesOf(server.certificate), serverMs, now);
  return true;
}
