/** Whom a client certificate of the remote interface admits. */
import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Directory } from '../../../src/domain/access/directory.ts';
import { KeyIndex } from '../../../src/identity/keyIndex.ts';
import {
  issueClientCertificate,
  issueServerCertificate,
  makeAuthority,
  validFor,
  type IssuedCertificate,
} from '../../../src/service/certificates/x509.ts';

const dayMs = 86_400_000;
const now = new Date('2030-01-01T12:00:00.000Z');
const subject = (commonName: string) => ({ commonName, organization: 'Test' });
let authority: IssuedCertificate;
let carol: IssuedCertificate;

beforeAll(async () => {
  authority = await makeAuthority(subject('CA'), validFor(100 * dayMs, now));
  carol = await issueClientCertificate(authority, subject('carol'), validFor(dayMs, now));
});

const der = ({ certificate }: IssuedCertificate): string => new X509Certificate(certificate).raw.toString('base64');

function index(change: Partial<Directory> = {}): KeyIndex {
  const made = new KeyIndex();
  made.replace({
    identities: [],
    cas: [],
    admins: [{ name: 'carol', role: 'operator' }],
    users: [],
    invitations: [],
    remote: { authority: authority.certificate, revoked: [] },
    ...change,
  });
  return made;
}
const admit = (certificate: IssuedCertificate, change: Partial<Directory> = {}, at = now) =>
  index(change).admitRemote(der(certificate), '192.0.2.1', at.getTime());

describe('a client certificate', () => {
  it('admits the admin whom it names, with that role', () => {
    expect(admit(carol)).toMatchObject({
      admitted: 'actor',
      actor: {
        name: 'carol',
        role: 'operator',
        entryPoint: 'remote',
        address: '192.0.2.1',
        fingerprint: expect.stringMatching(/^SHA256:[A-Za-z0-9+/]{43}$/),
        certificate: { ca: 'remote', keyId: 'carol', serial: carol.serial },
      },
    });
  });

  it.each<[string, Partial<Directory>, Date, RegExp]>([
    ['before it is valid', {}, new Date(now.getTime() - 2 * 3_600_000), /not valid yet/],
    ['after its end', {}, new Date(now.getTime() + 2 * dayMs), /has expired/],
    ['of an admin who is gone', { admins: [] }, now, /names no admin/],
    ['while there is no CA', { remote: undefined }, now, /no longer accepted/],
  ])('admits nobody %s', (_, change, at, why) => {
    expect(admit(carol, change, at)).toMatchObject({ admitted: 'no', why: expect.stringMatching(why) });
  });

  it('admits nobody once it is revoked', () => {
    const remote = { authority: authority.certificate, revoked: [carol.serial] };
    expect(admit(carol, { remote })).toMatchObject({ admitted: 'no', why: 'your certificate is revoked' });
  });

  it('of a server, of the CA itself, or of another CA admits nobody', async () => {
    const server = await issueServerCertificate(authority, subject('carol'), validFor(dayMs, now), {
      dns: ['carol'],
      ips: [],
    });
    const other = await makeAuthority(subject('CA'), validFor(dayMs, now));
    const forged = await issueClientCertificate(other, subject('carol'), validFor(dayMs, now));
    for (const wrong of [server, authority, forged]) expect(admit(wrong)).toMatchObject({ admitted: 'no' });
  });

  it('that cannot be read admits nobody', () => {
    for (const text of ['', 'x', der(carol).slice(0, 100), 'A'.repeat(20_000)])
      expect(index().admitRemote(text, '192.0.2.1', now.getTime())).toMatchObject({ admitted: 'no' });
  });

  it('with a name that contains a line break names nobody else', async () => {
    const sly = await issueClientCertificate(authority, subject('x\nCN=carol'), validFor(dayMs, now));
    expect(admit(sly)).toMatchObject({ admitted: 'no' });
  });
});
