/** A compromised remote process: what core accepts from it, and what it refuses. */
import { randomUUID, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verbNamed, verbNames } from '../../src/catalogue/catalogue.ts';
import type { Actor } from '../../src/domain/access/actor.ts';
import { messages, remoteStart } from '../../src/protocol/messages.ts';
import { issueClientCertificate, makeAuthority, validFor } from '../../src/service/certificates/x509.ts';
import { eventually } from '../support/eventually.ts';
import { inPlaceOf, type Replaced } from '../support/inPlaceOf.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';

let replaced: Replaced;
let server: TestServer;
const certificates: Record<string, string> = {};

beforeAll(async () => {
  replaced = await inPlaceOf('remote');
  server = await startServer({ program: replaced.program, config: { remote: { listen: '127.0.0.1:0' } } });
  const folder = await temporaryFolder();
  await local('admin', 'add', 'vera', '--role', 'viewer', '--certificate');
  await local('admin', 'add', 'gone', '--certificate');
  await local('admin', 'add', 'rita', '--certificate');
  await local('cert', 'generate', '--server-ip', '127.0.0.1', '--output-dir', join(folder, 'admin'));
  for (const name of ['vera', 'gone', 'rita']) await local('cert', 'issue', name, '--output-dir', join(folder, name));
  for (const name of ['admin', 'vera', 'gone', 'rita'])
    certificates[name] = await der(join(folder, name, 'client.crt'));
  certificates['server'] = await der(join(folder, 'admin', 'server.crt'));
  certificates['ca'] = await der(join(folder, 'admin', 'ca.crt'));
  await local('admin', 'remove', 'gone', '--yes');
  await local('cert', 'revoke', 'rita');
  await eventually(() => replaced.all.at(-1), 'the remote process');
});
afterAll(() => replaced.close());

async function local(...words: string[]): Promise<void> {
  const { code, stderr } = await server.local(words);
  expect(code, `${words.join(' ')}: ${stderr}`).toBe(0);
}

async function der(path: string): Promise<string> {
  return new X509Certificate(await readFile(path)).raw.toString('base64');
}

const certify = (certificate: string, more: object = {}): Promise<Actor> =>
  replaced.now().connection.sendRequest(messages.certify.method, {
    certificate,
    address: '192.0.2.1',
    tls: 'TLSv1.3',
    ...more,
  });
const run = (login: string | undefined, verb: string, input: object = {}): Promise<{ result: any }> =>
  replaced.now().connection.sendRequest(messages.call.method, { id: randomUUID(), login, verb, input });

describe('a compromised remote process', () => {
  test('logs in with the certificate of an admin, with the role of that admin', async () => {
    expect(await certify(certificates['admin'] ?? '')).toMatchObject({
      name: 'tester',
      role: 'admin',
      entryPoint: 'remote',
    });
    const vera = await certify(certificates['vera'] ?? '');
    expect(vera).toMatchObject({ name: 'vera', role: 'viewer' });
    await expect(run(vera.login, 'delete', { user: 'alice', yes: true })).rejects.toThrow(/role is viewer/);
  });

  test.each([
    ['of an admin who was removed', 'gone', /names no admin/],
    ['that is revoked', 'rita', /revoked/],
    ['of the server', 'server', /no longer accepted/],
    ['of the CA itself', 'ca', /no longer accepted/],
  ])('gets no login with a certificate %s', async (_, name, why) => {
    await expect(certify(certificates[name] ?? '')).rejects.toThrow(why);
  });

  test('gets no login with a certificate of a CA of its own', async () => {
    const now = new Date();
    const subject = { commonName: 'Containarium CA', organization: 'Containarium' };
    const own = await makeAuthority(subject, validFor(86_400_000, now));
    const forged = await issueClientCertificate(own, { ...subject, commonName: 'admin' }, validFor(86_400_000, now));
    const raw = new X509Certificate(forged.certificate).raw.toString('base64');
    await expect(certify(raw)).rejects.toThrow(/no longer accepted/);
  });

  test.each([
    ['no certificate', ''],
    ['text', Buffer.from('certificate').toString('base64')],
    ['half a certificate', 'half'],
  ])('gets no login with %s', async (what, text) => {
    const whole = certificates['admin'] ?? '';
    await expect(certify(what === 'half a certificate' ? whole.slice(0, 400) : text)).rejects.toThrow();
  });

  test('cannot prove a login over ssh, or enter the room', async () => {
    const { connection } = replaced.now();
    for (const { method } of [messages.prove, messages.useInvitation, messages.enter])
      await expect(connection.sendRequest(method, { name: 'root' })).rejects.toThrow(/Unhandled method/);
  });

  test('may not use a verb that changes who may come in', async () => {
    const { login } = await certify(certificates['admin'] ?? '');
    const granting = verbNames.filter((name) => verbNamed(name).grantsAccess === true);
    expect(granting.length).toBeGreaterThan(15);
    for (const name of granting) await expect(run(login, name), name).rejects.toThrow(/who may come in/);
  });

  test('gets the server key, and not that of the CA', async () => {
    const start = remoteStart.parse(await replaced.now().connection.sendRequest(messages.remoteStart.method));
    expect(start.tls?.key).toContain('PRIVATE KEY');
    expect(JSON.stringify(start)).not.toContain(
      (await readFile(join(server.home, 'certs', 'ca.key'), 'utf8')).split('\n')[1],
    );
  });

  test('uses no login of another process, and none that is over', async () => {
    await expect(run('01J0000000000000000000000A', 'list')).rejects.toThrow(/it is over/);
    const { login } = await certify(certificates['admin'] ?? '');
    await replaced.now().connection.sendNotification(messages.logout.method, { login });
    await expect(run(login, 'list')).rejects.toThrow(/it is over/);
  });

  test('is replaced when it breaks the framing', async () => {
    const before = replaced.all.length;
    replaced.now().socket.write('x'.repeat(10_000));
    await eventually(() => (replaced.all.length > before ? true : undefined), 'another remote process');
    expect((await server.local(['doctor', '--json'])).stdout).toContain('remote interface');
  });
});
