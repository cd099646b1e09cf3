/** `cert generate`, `cert issue`, `cert list`, `cert revoke`, `cert renew`: carol and vic are admins. */
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { withoutLimits } from '../../../src/domain/keys/keyLimits.ts';
import type { CertificateIssued } from '../../../src/domain/results/certificates.ts';
import { dayMs } from '../../../src/domain/values/duration.ts';
import { addAdmin, removeAdmin } from '../../../src/service/admins.ts';
import { generateCertificates, generateWithCa } from '../../../src/service/certGenerate.ts';
import {
  issueCertificate,
  listCertificates,
  renewIfNeeded,
  renewServerCertificate,
  revokeRemoteCertificates,
} from '../../../src/service/certs.ts';
import { makeAuthority, validFor } from '../../../src/service/certificates/x509.ts';
import { callBy, hosts } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import type { World } from '../../support/world/world.ts';

const host = hosts(async ({ context }) => {
  await addAdmin(context, { name: 'carol', keys: withoutLimits([newKey('carol@desk')]) }, callBy());
  await addAdmin(context, { name: 'vic', keys: withoutLimits([newKey('vic@desk')]), role: 'viewer' }, callBy());
});

let world: World;
beforeEach(async () => {
  world = await host();
});

const names = { serverIp: ['203.0.113.5'], serverName: ['jump.example.org'] };
const root = { name: 'root', role: 'root', entryPoint: 'local' } as const;
const generate = (more: object = {}, call = callBy()): Promise<CertificateIssued> =>
  generateCertificates(world.context, { ...names, ...more }, call);
const fileOf = ({ files }: CertificateIssued, name: string): string =>
  files.find((file) => file.name === name)?.content ?? '';
const listed = async () =>
  (await listCertificates(world.context)).certificates.map(({ admin, state }) => [admin, state]);

describe('cert generate', () => {
  it('makes a CA, the certificate of the server with its names, and one for the caller', async () => {
    const made = await generate();
    expect(made.files.map(({ name }) => name)).toEqual(['ca.crt', 'client.crt', 'client.key']);
    const authority = new X509Certificate(fileOf(made, 'ca.crt'));
    const client = new X509Certificate(fileOf(made, 'client.crt'));
    expect(client.checkIssued(authority) && client.verify(authority.publicKey)).toBe(true);
    expect(client.subject).toContain('CN=carol');
    const { server } = await listCertificates(world.context);
    expect(server?.names).toEqual(['jump.example.org', '203.0.113.5']);
    expect(await listed()).toEqual([['carol', 'valid']]);
  });

  it('gives the key of the CA to root on the host alone, and keeps all keys for it', async () => {
    const made = await generate({ admin: 'carol' }, callBy(root));
    expect(made.files.map(({ name }) => name)).toEqual(expect.arrayContaining(['ca.key', 'server.key']));
    const { folder } = world.context.certificates;
    expect(readdirSync(folder).sort()).toEqual(['ca.crt', 'ca.key', 'server.crt', 'server.key']);
    expect(readFileSync(join(folder, 'ca.key'), 'utf8')).toBe(fileOf(made, 'ca.key'));
  });

  it.each([
    ['names, where none is configured', { serverIp: [], serverName: [] }, callBy(), 'usage', /--server-ip/],
    ['an admin whom it knows', { admin: 'nobody' }, callBy(), 'not-found', /admin list/],
    ['one admin of several', {}, callBy(root), 'usage', /--admin NAME/],
  ])('needs %s', async (_, more, call, code, next) => {
    await expect(generate(more, call)).rejects.toMatchObject({ code, next: expect.stringMatching(next) });
    expect(world.context.certificates.trust).toBeUndefined();
  });

  it('replaces no CA unless it is told to, and then ends what that has signed', async () => {
    const first = await generate();
    await expect(generate()).rejects.toMatchObject({ code: 'exists' });
    expect(world.context.certificates.trust?.authority).toBe(fileOf(first, 'ca.crt'));
    const second = await generate({ replace: true });
    expect(world.context.certificates.trust?.authority).toBe(fileOf(second, 'ca.crt'));
    expect(await listed()).toEqual([['carol', 'valid']]);
  });

  it('takes a CA that exists', async () => {
    const ca = await makeAuthority({ commonName: 'Office', organization: 'Office' }, validFor(dayMs, new Date()));
    const made = await generateWithCa(world.context, { ...names, ca }, callBy());
    expect(fileOf(made, 'ca.crt')).toBe(ca.certificate);
    await expect(generateWithCa(world.context, { ...names, replace: true }, callBy())).rejects.toMatchObject({
      code: 'usage',
      next: expect.stringContaining('--ca-cert'),
    });
  });
});

describe('certificates of people', () => {
  it('are for admins, and need a CA', async () => {
    await expect(issueCertificate(world.context, { admin: 'vic' }, callBy())).rejects.toMatchObject({
      code: 'not-found',
    });
    await generate();
    await expect(issueCertificate(world.context, { admin: 'eve' }, callBy())).rejects.toMatchObject({
      code: 'not-found',
    });
    const issued = await issueCertificate(world.context, { admin: 'vic', expires: '2031-01-01T00:00:00Z' }, callBy());
    expect(new X509Certificate(fileOf(issued, 'client.crt')).subject).toContain('CN=vic');
    expect(await listed()).toEqual([
      ['carol', 'valid'],
      ['vic', 'valid'],
    ]);
  });

  it('end when they are revoked by name or serial, and with their admin', async () => {
    await generate();
    const { serial } = await issueCertificate(world.context, { admin: 'vic' }, callBy());
    await issueCertificate(world.context, { admin: 'vic' }, callBy());
    await revokeRemoteCertificates(world.context, { certificate: serial }, callBy());
    expect(world.context.certificates.trust?.revoked).toEqual([serial]);
    expect(await listed()).toEqual([
      ['carol', 'valid'],
      ['vic', 'revoked'],
      ['vic', 'valid'],
    ]);
    await removeAdmin(world.context, { admin: 'vic' }, { actor: root });
    expect((await listed()).at(-1)).toEqual(['vic', 'no such admin']);
    await revokeRemoteCertificates(world.context, { certificate: 'carol' }, callBy());
    expect((await listed())[0]).toEqual(['carol', 'revoked']);
    await expect(revokeRemoteCertificates(world.context, { certificate: 'eve' }, callBy())).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});

describe("the server's own certificate", () => {
  const server = (): X509Certificate => new X509Certificate(world.context.certificates.server?.certificate ?? '');

  it('is renewed with its names, or with others', async () => {
    await generate();
    const before = server();
    await renewServerCertificate(world.context, {});
    expect(server().serialNumber).not.toBe(before.serialNumber);
    expect(server().subjectAltName).toBe(before.subjectAltName);
    await renewServerCertificate(world.context, { serverName: ['other.example.org'] });
    expect(server().subjectAltName).toBe('DNS:other.example.org');
  });

  it('is renewed by itself 30 days before its end, not sooner', async () => {
    await generate();
    const { certificates } = world.context;
    const end = server().validToDate.getTime();
    expect(await renewIfNeeded(certificates, new Date(end - 31 * dayMs))).toBe(false);
    expect(await renewIfNeeded(certificates, new Date(end - 29 * dayMs))).toBe(true);
    expect(server().validToDate.getTime()).toBeGreaterThan(end);
  });

  it('cannot be renewed without the key of the CA', async () => {
    await generate();
    const { certificates } = world.context;
    rmSync(join(certificates.folder, 'ca.key'));
    await expect(renewServerCertificate(world.context, {})).rejects.toMatchObject({
      code: 'not-found',
      why: expect.stringContaining('not on this machine'),
    });
  });
});
