/**
 * Makes the X.509 certificates of the remote interface (RFC 5280) with node-forge, which signs with RSA only; every
 * client in use takes RSA of 3072 bits.
 */
import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';
import { Failure } from '../../domain/failure.ts';

/** A certificate and its private key, both as PEM. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly key: string;
}

export interface IssuedCertificate extends CertifiedKey {
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface CertificateSubject {
  readonly commonName: string;
  readonly organization: string;
}

/** The names by which clients reach a server. A client compares what it dialled with them (RFC 9525). */
export interface ServerNames {
  readonly dns: readonly string[];
  readonly ips: readonly string[];
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Bits of an RSA key: as strong as 128 bits of a cipher (NIST SP 800-57, table 2). */
const rsaBits = 3072;

/** A clock of a client may be slow by as much. In milliseconds. */
const clockSkewMs = 60 * 60_000;

const makeKeyPair = promisify(generateKeyPair);

/** Returns the validity from now on, with tolerance for slow clocks. */
export function validFor(durationMs: number, now: Date): Validity {
  return { notBefore: new Date(now.getTime() - clockSkewMs), notAfter: new Date(now.getTime() + durationMs) };
}

/** Makes a CA with a key of its own. It may sign certificates of clients and servers, and no further CA. */
export async function makeAuthority(subject: CertificateSubject, validity: Validity): Promise<IssuedCertificate> {
  const { publicKey, privateKey } = await newKey();
  const certificate = unsigned(subject, validity, publicKey);
  certificate.setIssuer(certificate.subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  return signed(certificate, forge.pki.privateKeyFromPem(privateKey), privateKey, validity);
}

/** Makes a key and a certificate of a server. Throws `settings` if the CA cannot sign. */
export function issueServerCertificate(
  authority: CertifiedKey,
  subject: CertificateSubject,
  validity: Validity,
  { dns, ips }: ServerNames,
): Promise<IssuedCertificate> {
  const altNames = [...dns.map((value) => ({ type: 2, value })), ...ips.map((ip) => ({ type: 7, ip }))];
  return issue(authority, subject, validity, [
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames },
  ]);
}

/** Makes a key and a certificate of a client, named after an admin. Throws `settings` if the CA cannot sign. */
export function issueClientCertificate(
  authority: CertifiedKey,
  subject: CertificateSubject,
  validity: Validity,
): Promise<IssuedCertificate> {
  return issue(authority, subject, validity, [{ name: 'extKeyUsage', clientAuth: true }]);
}

async function issue(
  authority: CertifiedKey,
  subject: CertificateSubject,
  validity: Validity,
  extensions: readonly object[],
): Promise<IssuedCertificate> {
  const { certificate: ca, key: caKey } = readAuthority(authority);
  const { publicKey, privateKey } = await newKey();
  // No certificate outlives its CA, because clients reject it from then on.
  const notAfter = validity.notAfter < ca.validity.notAfter ? validity.notAfter : ca.validity.notAfter;
  const certificate = unsigned(subject, { ...validity, notAfter }, publicKey);
  certificate.setIssuer(ca.subject.attributes.map(decoded));
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
    ...extensions,
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: ca.generateSubjectKeyIdentifier().getBytes() },
  ]);
  return signed(certificate, caKey, privateKey, { ...validity, notAfter });
}

/** Reads a CA that may be of another program. Throws `settings` if it cannot sign client certificates here. */
function readAuthority({ certificate, key }: CertifiedKey): {
  certificate: forge.pki.Certificate;
  key: forge.pki.rsa.PrivateKey;
} {
  let read: { certificate: forge.pki.Certificate; key: forge.pki.rsa.PrivateKey };
  try {
    read = { certificate: forge.pki.certificateFromPem(certificate), key: forge.pki.privateKeyFromPem(key) };
  } catch (error) {
    throw cannotSign('its certificate and key must be unencrypted PEM files with an RSA key', error);
  }
  const { n } = read.certificate.publicKey as forge.pki.rsa.PublicKey;
  if (!n.equals(read.key.n)) throw cannotSign('its key does not belong to its certificate');
  const constraints: { readonly cA?: boolean } | undefined = read.certificate.getExtension('basicConstraints');
  if (constraints?.cA !== true) throw cannotSign('its certificate is not that of a CA (basicConstraints)');
  return read;
}

function cannotSign(why: string, cause?: unknown): Failure {
  return new Failure(
    'settings',
    {
      what: 'the CA of the remote interface',
      why,
      next: '"cert generate" makes a CA, "cert generate-with-ca" takes one',
    },
    cause,
  );
}

async function newKey(): Promise<{ publicKey: string; privateKey: string }> {
  return makeKeyPair('rsa', {
    modulusLength: rsaBits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

function unsigned(
  { commonName, organization }: CertificateSubject,
  { notBefore, notAfter }: Validity,
  publicKey: string,
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = newSerial();
  certificate.validity.notBefore = notBefore;
  certificate.validity.notAfter = notAfter;
  certificate.setSubject([
    {
      name: 'organizationName',
      value: organization,
      valueTagClass: forge.asn1.Type.UTF8 as unknown as forge.asn1.Class,
    },
    { name: 'commonName', value: commonName, valueTagClass: forge.asn1.Type.UTF8 as unknown as forge.asn1.Class },
  ]);
  return certificate;
}

/** Undoes what node-forge leaves of an encoding when it reads a name and repeats when it writes one (1.4). */
function decoded(attribute: forge.pki.CertificateField): forge.pki.CertificateField {
  const isUtf8 = (attribute.valueTagClass as number | undefined) === (forge.asn1.Type.UTF8 as number);
  return isUtf8 ? { ...attribute, value: forge.util.decodeUtf8(attribute.value as string) } : attribute;
}

/** Returns 16 random bytes as a positive number that keeps its length (RFC 5280, section 4.1.2.2). */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function signed(
  certificate: forge.pki.Certificate,
  signer: forge.pki.rsa.PrivateKey,
  key: string,
  validity: Validity,
): IssuedCertificate {
  certificate.sign(signer, forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(certificate), key, serial: certificate.serialNumber, ...validity };
}
