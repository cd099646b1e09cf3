/** The remote interface without TLS, which serves one admin on a loopback address. */
import { beforeAll, describe, expect, test } from 'vitest';
import { openCall } from '../support/remote/client.ts';
import { remotePort, runRemotely } from '../support/remote/server.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';

let server: TestServer;
let address: string;

beforeAll(async () => {
  server = await startServer({
    env: { CONTAINARIUM_LOG: 'info' },
    config: { remote: { listen: '127.0.0.1:0', insecureAs: 'olga' } },
  });
  address = `127.0.0.1:${await remotePort(server)}`;
  await addOlga();
});

async function addOlga(): Promise<void> {
  const added = await server.local(['admin', 'add', 'olga', '--role', 'operator', '--certificate']);
  expect(added.code, added.stderr).toBe(0);
}

const run = (...words: string[]) => runRemotely(address, [...words, '--insecure']);

test('everybody acts as the admin of the setting, with the role of this admin', async () => {
  expect(await run('whoami')).toMatchObject({ code: 0, stdout: expect.stringContaining('olga') });
  expect(await run('host-key', 'rotate')).toMatchObject({ code: 4 });
});

test('an open connection ends with the admin, and nobody is let in afterwards', async () => {
  const call = await openCall(address, undefined);
  expect((await server.local(['admin', 'remove', 'olga', '--yes'])).code).toBe(0);
  await call.ended;
  expect(await run('list')).toMatchObject({ code: 4, stderr: expect.stringContaining('no admin') });
  await addOlga();
});

test('a client that speaks TLS is told that the server does not', async () => {
  const { code, stderr } = await runRemotely(address, ['list'], { certificates: await serverCertificates() });
  expect({ code, stderr }).toMatchObject({ code: 8, stderr: expect.stringContaining('does not speak TLS') });
});

async function serverCertificates(): Promise<string> {
  const folder = await temporaryFolder();
  const made = await server.local(['cert', 'generate', '--server-ip', '127.0.0.1', '--output-dir', folder]);
  expect(made.code, made.stderr).toBe(0);
  return folder;
}

test('doctor warns', async () => {
  expect((await server.local(['doctor'])).stdout).toMatch(/127\.0\.0\.1.* has no TLS: .* olga/);
});

describe('what is not this machine is refused', () => {
  test('as the address of the server', async () => {
    const refused = await runRemotely('jump.example.org:50051', ['list', '--insecure']);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('is not this machine') });
  });

  test('as the address to listen on', async () => {
    await expect(startServer({ config: { remote: { listen: '0.0.0.0:0', insecureAs: 'olga' } } })).rejects.toThrow(
      /loopback/,
    );
  });
});
