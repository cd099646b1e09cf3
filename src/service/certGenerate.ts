/** `cert generate`, `cert generate-with-ca`: a CA, the server's certificate, and a first client's. */
import { isIP } from 'node:net';
import type { Actor } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import type { CertificateFile, CertificateIssued } from '../domain/results/certificates.ts';
import { joinChoices, quoted } from '../domain/text.ts';
import { dayMs } from '../domain/values/duration.ts';
import { clientMs, issued, serverMs, type Names } from './certificates/issued.ts';
import type { CertifiedKey, ServerNames } from './certificates/x509.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

/** Loaded when a certificate is made, as in certs.ts. */
const x509 = () => import('./certificates/x509.ts');

const authorityMs = 3650 * dayMs;

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
  const { makeAuthority, validFor } = await x509();
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
  const { issueClientCertificate, issueServerCertificate, validFor } = await x509();
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
  const dialled = { server: certificates.server, listen: context.settings.remote.listen };
  return issued(dialled, admin, client, authority.certificate, own);
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
    next: named === undefined ? `add --admin NAME: ${joinChoices(all.map(({ name }) => name))}` : 'see "admin list"',
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
