/** Who may come in over the remote interface, what they may do, and when it ends. */
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { openCall } from '../support/remote/client.ts';
import { runRemotely, startRemoteServer, type RemoteTestServer } from '../support/remote/server.ts';

let house: RemoteTestServer;

beforeAll(async () => {
  house = await startRemoteServer();
  for (const [name, role] of [
    ['carol', 'admin'],
    ['vera', 'viewer'],
    ['dan', 'admin'],
    ['erin', 'admin'],
  ] as const) {
    const added = await house.server.local(['admin', 'add', name, '--role', role, '--certificate']);
    expect(added.code, added.stderr).toBe(0);
  }
});

const as = (certificates: string, ...words: string[]) => runRemotely(house.address, words, { certificates });

describe('a certificate', () => {
  test('has the role of the admin whom it names', async () => {
    const vera = await house.issue('vera');
    expect(await as(vera, 'list')).toMatchObject({ code: 0 });
    expect(await as(vera, 'create', 'alice')).toMatchObject({ code: 4 });
  });

  test('that is revoked lets nobody in, and an open connection with it ends within two seconds', async () => {
    const carol = await house.issue('carol');
    const call = await openCall(house.address, carol);
    const began = Date.now();
    expect((await house.server.local(['cert', 'revoke', 'carol'])).code).toBe(0);
    await call.ended;
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(await as(carol, 'list')).toMatchObject({ code: 4, stderr: expect.stringContaining('revoked') });
  });

  test('ends with the admin whom it names', async () => {
    const dan = await house.issue('dan');
    const call = await openCall(house.address, dan);
    expect((await house.server.local(['admin', 'remove', 'dan', '--yes'])).code).toBe(0);
    await call.ended;
    expect(await as(dan, 'list')).toMatchObject({ code: 4, stderr: expect.stringContaining('no admin') });
  });

  test('of another CA is rejected', async () => {
    const other = await startRemoteServer();
    expect(await as(other.certificates, 'list')).toMatchObject({ code: 8 });
  });
});

describe('verbs that change who may come in', () => {
  test.each([
    ['admin', 'remove', 'erin'],
    ['key', 'list', 'nobody'],
    ['cert', 'issue', 'erin'],
    ['ban', 'add', '192.0.2.1'],
  ])('%s %s %s', async (...words) => {
    const { code, stderr } = await house.remote(words);
    if (words[1] === 'list') expect(code).toBe(3);
    else expect({ code, stderr }).toMatchObject({ code: 4, stderr: expect.stringContaining('remote.accessVerbs') });
  });

  test('are allowed if the settings say so', async () => {
    const open = await startRemoteServer({ config: { remote: { accessVerbs: true } } });
    expect(await open.remote(['ban', 'add', '192.0.2.1'])).toMatchObject({ code: 0 });
  });
});

test('logins over the remote interface are recorded with the admin and the certificate', async () => {
  await house.remote(['whoami']);
  const { stdout } = await house.server.local(['audit', '--json']);
  expect(stdout).toMatch(/"entryPoint": *"remote"/);
  expect(stdout).toMatch(/"method": *"certificate"/);
  expect((await house.server.local(['audit', 'verify'])).code).toBe(0);
});

test('no private key is in a log, in the journal or in the state', async () => {
  const found = await execa('grep', ['-rl', 'PRIVATE KEY', house.server.home], { reject: false });
  const files = found.stdout.split('\n').filter((path) => !/\/(certs|keys)\//.test(path));
  expect(files.filter(Boolean)).toEqual([]);
  expect(house.server.log()).not.toContain('PRIVATE KEY');
});
