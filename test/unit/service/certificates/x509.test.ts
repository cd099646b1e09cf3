/** The certificates of the remote interface, read by Node.js's OpenSSL, which did not make them. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { endOf, namesOf } from '../../../../src/service/certificates/certificateStore.ts';
import {
  issueClientCertificate,
  issueServerCertificate,
  makeAuthority,
  validFor,
  type IssuedCertificate,
} from '../../../../src/service/certificates/x509.ts';

const dayMs = 86_400_000;
const now = new Date('2030-01-01T12:00:00.000Z');
const subject = { commonName: 'Containarium CA', organization: 'Wörk & Söhne, "GmbH"' };
let authority: IssuedCertificate;

beforeAll(async () => {
  authority = await makeAuthority(subject, validFor(100 * dayMs, now));
});

const read = ({ certificate }: IssuedCertificate): X509Certificate => new X509Certificate(certificate);

describe('a CA', () => {
  it('signs itself, and may sign others', () => {
    const ca = read(authority);
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(ca.checkPrivateKey(createPrivateKey(authority.key))).toBe(true);
  });

  it('that is no CA, or whose key is another one, is refused', async () => {
    const client = await issueClientCertificate(authority, { ...subject, commonName: 'carol' }, validFor(dayMs, now));
    const other = await makeAuthority(subject, validFor(dayMs, now));
    for (const wrong of [client, { ...authority, key: other.key }, { certificate: 'x', key: 'y' }])
      await expect(issueClientCertificate(wrong, subject, validFor(dayMs, now))).rejects.toMatchObject({
        code: 'settings',
      });
  });
});

describe('a certificate', () => {
  it('of a client is issued by the CA, for clients only', async () => {
    const issued = await issueClientCertificate(authority, { ...subject, commonName: 'carol' }, validFor(dayMs, now));
    const [client, ca] = [read(issued), read(authority)];
    expect(client.checkIssued(ca)).toBe(true);
    expect(client.verify(ca.publicKey)).toBe(true);
    expect(client.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(client.ca).toBe(false);
    expect(client.subject.split('\n')).toContain('CN=carol');
    expect(client.serialNumber.toLowerCase()).toBe(issued.serial);
    expect(client.publicKey.asymmetricKeyDetails?.modulusLength).toBe(3072);
  });

  it('of a server has exactly the names that were given', async () => {
    const names = { dns: ['jump.example.org', '*.example.org'], ips: ['192.0.2.1', '2001:db8::1'] };
    const issued = await issueServerCertificate(authority, subject, validFor(dayMs, now), names);
    expect(read(issued).checkHost('jump.example.org')).toBe('jump.example.org');
    expect(read(issued).checkIP('192.0.2.1')).toBe('192.0.2.1');
    expect(read(issued).checkIP('192.0.2.2')).toBeUndefined();
    expect(namesOf(issued.certificate).dns).toEqual(names.dns);
    expect(namesOf(issued.certificate).ips).toHaveLength(2);
  });

  it('is valid from an hour ago, and never longer than its CA', async () => {
    const issued = await issueClientCertificate(authority, subject, validFor(1000 * dayMs, now));
    expect(read(issued).validFromDate.toISOString()).toBe('2030-01-01T11:00:00.000Z');
    expect(endOf(issued.certificate)).toEqual(endOf(authority.certificate));
    expect(issued.notAfter).toEqual(endOf(authority.certificate));
  });

  it('has a serial of its own', async () => {
    const serials = new Set<string>();
    for (let i = 0; i < 3; i++)
      serials.add((await issueClientCertificate(authority, subject, validFor(dayMs, now))).serial);
    expect(serials.size).toBe(3);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/);
  });
});
