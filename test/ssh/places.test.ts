/** The places of one person: how many logins and shells they may have open, over all their connections. */
import { afterEach, beforeAll, expect, test } from 'vitest';
import { anySource } from '../support/front.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { RawClient } from '../support/rawClient.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';

let server: TestServer;
let alice: TestKey;
let bob: TestKey;

beforeAll(async () => {
  const folder = await temporaryFolder();
  [server, alice, bob] = await Promise.all([startServer(), makeKey(folder, 'alice'), makeKey(folder, 'bob')]);
  for (const key of [alice, bob])
    expect(await server.ssh(['create', key === alice ? 'alice' : 'bob'], { stdin: key.line })).toMatchObject({
      code: 0,
    });
});

const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await eventually(async () => ((await ofAlice()).logins === 0 ? true : undefined), 'no login');
});

/** Returns how many logins and shells of Alice core knows. */
async function ofAlice(): Promise<{ logins: number; shells: number }> {
  const { stdout } = await server.ssh(['session', 'list', '--json']);
  const { sessions } = (
    JSON.parse(stdout) as { result: { sessions: { name: string; entryPoint: string; shells: number }[] } }
  ).result;
  const hers = sessions.filter(({ name, entryPoint }) => name === 'alice' && entryPoint === 'self');
  return { logins: hers.length, shells: hers.reduce((sum, { shells }) => sum + shells, 0) };
}

test('an owner has 64 logins; the next one is told why, others are served, and a place comes back with any end', async () => {
  while (clients.length < 64) clients.push(await RawClient.login(server.port, alice, 'self', anySource()));
  await eventually(async () => ((await ofAlice()).logins === 64 ? true : undefined), '64 logins');
  const asAlice = { user: 'self', key: alice.path };
  const refused = await server.ssh(['whoami'], asAlice);
  expect(refused).toMatchObject({ code: 5, stdout: '' });
  expect(refused.stderr).toMatch(
    /^Error: the server: you have 64 logins open \(busy\)\nNext: close some of your connections, and log in again\n/,
  );
  expect((await server.ssh(['whoami', '--json'], asAlice)).stdout).toMatch(/"code": "busy"/);
  const shell = await server.ssh([], { ...asAlice, tty: true });
  expect(shell).toMatchObject({ code: 5, stdout: expect.stringMatching(/you have 64 logins open \(busy\)/) as string });
  for (const options of [{}, { user: 'self', key: bob.path }])
    expect(await server.ssh(['whoami'], options)).toMatchObject({ code: 0 });
  // One client vanishes, one says goodbye; the admin ends the others.
  clients[0]?.socket.resetAndDestroy();
  await eventually(async () => ((await ofAlice()).logins === 63 ? true : undefined), 'a free place');
  expect(await server.ssh(['whoami'], asAlice)).toMatchObject({ code: 0 });
  expect(await server.ssh(['session', 'kick', 'alice'])).toMatchObject({ code: 0 });
  expect(await ofAlice()).toEqual({ logins: 0, shells: 0 });
  const again = await Promise.all(Array.from({ length: 50 }, () => server.ssh(['whoami'], asAlice)));
  expect(again.filter(({ code }) => code !== 0)).toEqual([]);
});

test('an owner has 32 shells over all connections; the next one is told why, and a command still runs', async () => {
  for (let i = 0; i < 4; i++) {
    const client = await RawClient.login(server.port, alice, 'self', anySource());
    clients.push(client);
    for (let n = 0; n < 8; n++) await client.openShell({ id: n });
  }
  await eventually(async () => ((await ofAlice()).shells === 32 ? true : undefined), '32 shells');
  const asAlice = { user: 'self', key: alice.path };
  const refused = await server.ssh([], { ...asAlice, tty: true });
  expect(refused).toMatchObject({
    code: 5,
    stdout: expect.stringMatching(
      /Error: the server: you have 32 shells open \(busy\)\r\nNext: close some of them, or run a command without a shell\r\n/,
    ) as string,
  });
  expect(await server.ssh(['whoami'], asAlice)).toMatchObject({ code: 0 });
  clients[0]?.socket.resetAndDestroy();
  await eventually(async () => ((await ofAlice()).shells === 24 ? true : undefined), 'free places');
  const client = await RawClient.login(server.port, alice, 'self', anySource());
  clients.push(client);
  await client.openShell();
});
