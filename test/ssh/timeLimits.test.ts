/**
 * Limits of time after the login: connections without a session, shells that nobody uses, logins that last. Each is
 * announced, and said again at the end.
 */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { message, RawClient, string, stringAt, uint32 } from '../support/rawClient.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell } from '../support/shell.ts';

let key: TestKey;

beforeAll(async () => {
  key = await makeKey(await temporaryFolder(), 'user');
});

async function login(server: TestServer): Promise<RawClient> {
  const [type = '', base64 = ''] = (await readFile(`${server.adminKey}.pub`, 'utf8')).split(' ');
  return RawClient.login(server.port, {
    path: server.adminKey,
    line: '',
    type,
    blob: Buffer.from(base64, 'base64'),
    fingerprint: '',
    private: await readFile(server.adminKey, 'utf8'),
  });
}

/** The reason that a connection was ended with. */
async function endOf(client: RawClient): Promise<string> {
  await client.ends();
  const told = client.received.find(([type]) => type === message.disconnect);
  return told === undefined ? 'nothing' : stringAt(told, 5).toString();
}

describe('a connection without a session', () => {
  test('is closed after a while, with the reason; one with a session is not (52)', async () => {
    const server = await startServer({ config: { ssh: { unusedMs: 1500 } } });
    const used = await login(server);
    const channel = await used.openSession();
    // Later, so that the other's time would be over first.
    const unused = await login(server);
    expect(await endOf(unused)).toBe('no session was open for 1 s');
    expect(used.closed).toBe(false);
    // Once its last session is closed, time begins to count for it too.
    used.send(message.channelClose, uint32(channel));
    expect(await endOf(used)).toBe('no session was open for 1 s');
  });
});

describe('a shell that nobody uses (60)', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ config: { ssh: { idleMs: 5000 } }, env: { CONTAINARIUM_SIMULATED_PACE_MS: '3500' } });
    for (const user of ['alice'])
      expect(await server.ssh(['create', user], { stdin: key.line })).toMatchObject({ code: 0 });
  });

  const warning = /No input for a while: this shell ends in 1 s\. Press any key to keep it\./;
  const goodbye = /The session ends: no input for 5 s/;

  test('is warned and ends', async () => {
    const shell = await openShell(server);
    await shell.said(warning);
    await shell.ended();
    expect(shell.scrollback()).toMatch(goodbye);
  });

  test('is warned and ends with a question open, which is not answered by that', async () => {
    const shell = await openShell(server);
    shell.type('delete alice').press('enter');
    await shell.shows('Type "alice" to continue');
    await shell.said(warning);
    await shell.ended();
    expect(shell.scrollback()).toMatch(goodbye);
    expect((await server.ssh(['info', 'alice'])).code).toBe(0);
  });

  test('is warned and ends with the live list open', async () => {
    const shell = await openShell(server, { columns: 120 });
    shell.type('list --watch').press('enter');
    await shell.shows(/alice/);
    await shell.shows(/this shell ends in 1 s/);
    await shell.ended();
    expect(shell.scrollback()).toMatch(goodbye);
    expect(shell.onAlternateScreen).toBe(false);
  });

  test('stays for as long as an operation runs, and that ends as it would', async () => {
    const shell = await openShell(server, { columns: 120 });
    const startedMs = performance.now();
    shell.type(`create bob --ssh-key "${key.line.trim()}"`).press('enter');
    await shell.said('Container bob-container created');
    // Otherwise this shows nothing.
    expect(performance.now() - startedMs).toBeGreaterThan(5000);
    expect(shell.isClosed).toBe(false);
    expect(shell.scrollback()).not.toMatch(warning);
    await shell.ended();
    expect(shell.scrollback()).toMatch(goodbye);
  });

  test('ends with a program in a container that says nothing, after a warning in the middle of it', async () => {
    const shell = await openShell(server, { columns: 120 });
    shell.type('shell alice').press('enter');
    await shell.shows(/alice@|\$ ?$/m);
    await shell.shows(/this shell ends in 1 s/);
    await shell.ended();
  });
});

test.concurrent(
  'a shell stays for whoever types, also after the warning (60)',
  async () => {
    // The warning is a tenth of the time before the end: on a busy machine typing may take a second.
    const patient = await startServer({ config: { ssh: { idleMs: 20_000 } } });
    const warning = /this shell ends in 2 s\. Press any key to keep it\./;
    const shell = await openShell(patient);
    await shell.said(warning);
    shell.type('whoami').press('enter');
    await shell.said(/Name:\s+tester/);
    await shell.said(new RegExp(`${warning.source}[^]*Name:[^]*${warning.source}`));
    expect(shell.isClosed).toBe(false);
  },
  120_000,
);

describe('a login', () => {
  test('lasts no longer than it may, and its shells are warned', async () => {
    const server = await startServer({ config: { ssh: { maxSessionMs: 6000 } } });
    const shell = await openShell(server);
    await shell.said(/This login ends in 1 s: the limit is 6 s\. Running operations continue\./);
    await shell.ended();
    expect(shell.scrollback()).toMatch(/The session ends: a login lasts at most 6 s/);
    const client = await login(server);
    const channel = await client.openSession();
    client.request(channel, 'env', string('LANG'), string('C'));
    expect(await endOf(client)).toBe('a login lasts at most 6 s');
  });
});
