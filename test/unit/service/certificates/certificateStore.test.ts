/** The stored certificates of the remote interface. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CertificateStore } from '../../../../src/service/certificates/certificateStore.ts';
import { issueServerCertificate, makeAuthority, validFor } from '../../../../src/service/certificates/x509.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-certificates-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('a revocation outlasts a CA that is installed again', async () => {
  const open = () => CertificateStore.open(join(folder, 'certs'), join(folder, 'certificates.json'));
  const [subject, validity] = [{ commonName: 'CA', organization: 'Test' }, validFor(86_400_000, new Date())];
  const authority = await makeAuthority(subject, validity);
  const server = await issueServerCertificate(authority, subject, validity, { dns: ['jump'], ips: [] });
  const store = await open();
  await store.replaceAuthority(authority, server);
  await store.revoke(['4f00'], 'carol', new Date());
  await store.replaceAuthority(authority, server);
  expect(store.trust?.revoked).toEqual(['4f00']);
  expect((await open()).trust?.revoked).toEqual(['4f00']);
});
