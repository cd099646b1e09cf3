/** `cert generate`, `cert generate-with-ca`, `cert issue`, `cert list`, `cert revoke`, `cert renew`. */
import { isIP } from 'node:net';
import type { Actor } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import type {
  CertificateChange,
  CertificateFile,
  CertificateInfo,
  CertificateIssued,
  CertificateList,
} from '../domain/results/certificates.ts';
import { plural, quoted } from '../domain/text.ts';
import { dayMs } from '../domain/values/duration.ts';
import { endOf, namesOf, noCertificates, serialsOf, type CertificateStore } from './certificates/certificateStore.ts';
import {
  issueClientCertificate,
  issueServerCertificate,
  makeAuthority,
  validFor,
  type CertifiedKey,
  type ServerNames,
} from './certificates/x509.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

/** The CA and the server last as long as most hosts; people's certificates are renewed more often. */
const authorityMs = 3650 * dayMs;
const serverMs = 365 * dayMs;
const clientMs = 365 * dayMs;

interface Names {
  readonly serverIp?: readonly string[] | undefined;
  readonly serverName?: readonly string[] | undefined;
}

export interface Generation extends Names {
  readonly org?: string | undefined;
  /** Milliseconds. */
  readonly duration?: number | undefined;
  /** The admin who gets the first client certificate. */
  readonly admin?: string | undefined;
  /** Makes a new CA although there is one, whose certificates then end. */
  readonly replace?: boolean | undefined;
}

export async function generateCertificates(
  context: ServiceContext,
  request: Generation,
  call: Call,
): Promise<CertificateIssued> {
  const authority = await makeAuthority(
    { commonName: 'Containarium CA', organization: request.org ?? 'Containarium' },
    validFor(authorityMs, context.now()),
  );
  return installAuthority(context, authority, request, call);
}

export async function generateWithCa(
  context: ServiceContext,
  {
    ca,
    caCert,
    caKey,
    ...request
  }: Generation & {
    readonly ca?: CertifiedKey | undefined;
    readonly caCert?: { readonly pem: string } | undefined;
    readonly caKey?: { readonly pem: string } | undefined;
  },
  call: Call,
): Promise<CertificateIssued> {
  const authority =
    ca ?? (caCert === undefined || caKey === undefined ? undefined : { certificate: caCert.pem, key: caKey.pem });
  if (authority === undefined)
    throw new Failure('usage', {
      what: 'the CA',
      why: 'its certificate and its key are needed',
      next: 'add --ca-cert FILE and --ca-key FILE, or send both on standard input',
    });
  return installAuthority(context, authority, request, call);
}

async function installAuthority(
  context: ServiceContext,
  authority: CertifiedKey,
  { org = 'Containarium', duration = serverMs, admin: named, replace = false, ...names }: Generation,
  call: Call,
): Promise<CertificateIssued> {
  const { certificates, now } = context;
  if (certificates.trust !== undefined && !replace)
    throw new Failure('exists', {
      what: `the CA in ${certificates.folder}`,
      why: 'there is one, and a new one would end every certificate that it signed',
      next: '"cert issue" makes a certificate for an admin, "cert renew" a new one for the server; --replace makes a new CA',
    });
  const admin = firstHolder(context, named, call.actor);
  const server = await issueServerCertificate(
    authority,
    { commonName: 'containarium', organization: org },
    validFor(duration, now()),
    wantedNames(context, names),
  );
  const client = await issueClientCertificate(
    authority,
    { commonName: admin, organization: org },
    validFor(Math.min(duration, clientMs), now()),
  );
  await certificates.replaceAuthority(authority, server);
  await certificates.add(admin, client, call.actor.name, now());
  const own: CertificateFile[] =
    call.actor.entryPoint === 'local'
      ? [
          { name: 'ca.key', content: authority.key },
          { name: 'server.crt', content: server.certificate },
          { name: 'server.key', content: server.key },
        ]
      : [];
  return issued(context, admin, client, authority.certificate, own);
}

/** Returns the admin who gets the first certificate: the one who was named, the caller, or the only admin. */
function firstHolder({ admins }: ServiceContext, named: string | undefined, actor: Actor): string {
  const all = admins.list();
  const found =
    named === undefined
      ? (all.find(({ name }) => name === actor.name) ?? (all.length === 1 ? all[0] : undefined))
      : all.find(({ name }) => name === named);
  if (found !== undefined) return found.name;
  throw new Failure(named === undefined ? 'usage' : 'not-found', {
    what: named === undefined ? 'the first certificate' : `admin ${quoted(named)}`,
    why: named === undefined ? 'it is for one of several admins' : 'no such admin',
    next: named === undefined ? 'add --admin NAME' : 'see "admin list"',
  });
}

/** Returns the names of the server: those that were given, or the configured one. Throws `usage` if there are none. */
function wantedNames({ settings }: ServiceContext, { serverIp = [], serverName = [] }: Names): ServerNames {
  if (serverIp.length + serverName.length > 0) return { dns: serverName, ips: serverIp };
  const { hostname } = settings.jump;
  if (hostname !== undefined) return isIP(hostname) === 0 ? { dns: [hostname], ips: [] } : { dns: [], ips: [hostname] };
  throw new Failure('usage', {
    what: 'the server certificate',
    why: 'a client compares it with the name that it dials, and none is known',
    next: 'add --server-ip ADDRESS or --server-name NAME, or set jump.hostname',
  });
}

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
  const client = await issueClientCertificate(
    authority,
    { commonName: admin, organization: 'Containarium' },
    validFor(durationMs, now()),
  );
  await certificates.add(admin, client, call.actor.name, now());
  return issued(context, admin, client, authority.certificate);
}

function issued(
  { certificates, settings }: ServiceContext,
  admin: string,
  { serial, notAfter, certificate, key }: Awaited<ReturnType<typeof issueClientCertificate>>,
  authority: string,
  own: readonly CertificateFile[] = [],
): CertificateIssued {
  const { server } = certificates;
  const [name] = server === undefined ? [] : allNames(server.certificate);
  const { listen } = settings.remote;
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

function allNames(certificate: string): string[] {
  const { dns, ips } = namesOf(certificate);
  return [...dns, ...ips];
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
  const serials = serialsOf(certificates, certificate);
  await certificates.revoke(serials, actor.name, now());
  return { did: `${plural(serials.length, 'certificate')} revoked`, ...listed(context) };
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
