/**
 * Time limits after the login: for connections without a session, idle shells, and long logins. Each is announced
 * before the end, and given as the reason at the end.
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

/** Waits for the end of a connection and returns its reason. */
async function endOf(client: RawClient): Promise<string> {
  await client.ends();
  const told = client.received.find(([type]) => type === message.disconnect);
  return told === undefined ? 'nothing' : stringAt(told, 5).toString();
}

describe('a connection without a session', () => {
  test('is closed after the time limit, with the reason (52)', async () => {
    const server = await startServer({ config: { ssh: { unusedMs: 1500 } } });
    const used = await login(server);
    const channel = await used.openSession();
    // Opened later, so that the limit of `used` would end first.
    const unused = await login(server);
    expect(await endOf(unused)).toBe('no session was open for 1.5 seconds');
    expect(used.closed).toBe(false);
    // The limit starts when the last session closes.
    used.send(message.channelClose, uint32(channel));
    expect(await endOf(used)).toBe('no session was open for 1.5 seconds');
  });
});

describe('an idle shell (60)', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ config: { ssh: { idleMs: 5000 } }, env: { CONTAINARIUM_SIMULATED_PACE_MS: '3500' } });
    for (const user of ['alice'])
      expect(await server.ssh(['create', user], { stdin: key.line })).toMatchObject({ code: 0 });
  });

  const warning = /No input for a while: this shell ends in 1 second\. Press any key to keep it\./;
  const goodbye = /The session ends: no input for 5 seconds/;

  test('shows a warning and ends', async () => {
    const shell = await openShell(server);
    await shell.said(warning);
    await shell.ended();
    expect(shell.scrollback()).toMatch(goodbye);
  });

  test('shows a warning and ends during a question, which counts as unanswered', async () => {
    const shell = await openShell(server);
    shell.type('delete alice').press('enter');
    await shell.shows('Type "alice" to continue');
    await shell.said(warning);
    await shell.ended();
    expect(shell.scrollback()).toMatch(goodbye);
    expect((await server.ssh(['info', 'alice'])).code).toBe(0);
  });

  test('shows a warning and ends while the live list is open', async () => {
    const shell = await openShell(server, { columns: 120 });
    shell.type('list --watch').press('enter');
    await shell.shows(/alice/);
    await shell.shows(/this shell ends in 1 second\b/);
    await shell.ended();
    expect(shell.scrollback()).toMatch(goodbye);
    expect(shell.onAlternateScreen).toBe(false);
  });

  test('does not end while an operation runs, which is completed', async () => {
    const shell = await openShell(server, { columns: 120 });
    const startedMs = performance.now();
    shell.type(`create bob --ssh-key "${key.line.trim()}"`).press('enter');
    await shell.said('Container bob-container created');
    // The operation must last longer than the limit.
    expect(performance.now() - startedMs).toBeGreaterThan(5000);
    await shell.ended();
    // Warning and end come after the operation, however late this test reads them.
    const shown = shell.scrollback();
    expect(shown.slice(0, shown.indexOf('Container bob-container created'))).not.toMatch(warning);
    expect(shown).toMatch(goodbye);
  });

  test('shows a warning and ends during a silent terminal session', async () => {
    const shell = await openShell(server, { columns: 120 });
    shell.type('shell alice').press('enter');
    await shell.shows(/alice@|\$ ?$/m);
    await shell.shows(/this shell ends in 1 second\b/);
    await shell.ended();
  });
});

test.concurrent(
  'a shell does not end after a key, even if the key follows the warning (60)',
  async () => {
    // The warning comes a tenth of the limit before the end, and typing may take a second on a busy machine.
    const patient = await startServer({ config: { ssh: { idleMs: 20_000 } } });
    const warning = /this shell ends in 2 seconds\. Press any key to keep it\./;
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
  test('ends at the maximum duration, with a warning in its shells', async () => {
    const server = await startServer({ config: { ssh: { maxSessionMs: 6000 } } });
    const shell = await openShell(server);
    await shell.said(/This login ends in 1 second: the limit is 6 seconds\. Running operations\s+continue\./);
    await shell.ended();
    expect(shell.scrollback()).toMatch(/The session ends: a login lasts at most 6 seconds/);
    const client = await login(server);
    const channel = await client.openSession();
    client.request(channel, 'env', string('LANG'), string('C'));
    expect(await endOf(client)).toBe('a login lasts at most 6 seconds');
  });
});
