/**
 * Connections of users through the host's sshd, from its log to the answers of the built program: once each over
 * restarts and crashes, at every entry point that may ask.
 */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ConnectionCounts, ConnectionList } from '../../src/domain/results/connections.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { accepted, closed, failed, fingerprint, logSshd } from '../support/sshdLog.ts';

let server: TestServer;
let state: string;
let alice: TestKey;

beforeAll(async () => {
  server = await startServer();
  state = join(server.home, 'state');
  alice = await makeKey(await temporaryFolder(), 'alice');
  const { code, stderr } = await server.ssh(['create', 'alice'], { stdin: alice.line, shared: true });
  expect(code, stderr).toBe(0);
});

const at = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

async function list(...words: string[]): Promise<ConnectionList> {
  const { stdout } = await server.local(['audit', '--connections', '--until', '2099-01-01', ...words, '--json']);
  return (JSON.parse(stdout) as { result: ConnectionList }).result;
}

/** Resolves to the connections when there are so many. */
function connections(count: number): Promise<ConnectionList['connections']> {
  return eventually(async () => {
    const found = (await list()).connections;
    return found.length >= count ? found : undefined;
  }, `${count} connections`);
}

describe('a connection through the host', () => {
  test('is listed with user, container, address and key, in every format', async () => {
    logSshd(state, accepted({ at: at(0), pid: 7 }, 'alice'), accepted({ at: at(0), pid: 8 }, 'root'));
    await connections(1);
    const table = await server.ssh(['audit', '--connections', '--user', 'alice'], { shared: true });
    expect(table.stdout).toMatch(/^alice +alice-container +192\.0\.2\.7 +SHA256:\S+ +\S+ +open$/m);
    expect(table.stdout).not.toContain('root');
    const csv = await server.ssh(['audit', '--connections', '--format', 'csv'], { shared: true });
    const [head, row] = csv.stdout.split(/\r?\n/);
    expect(head).toBe(
      'id,user,container,address,port,method,key_type,fingerprint,started_at,ended_at,duration_ms,state',
    );
    expect(row).toContain(`,alice,alice-container,192.0.2.7,42930,publickey,ED25519,${fingerprint},`);
    const yaml = await server.ssh(['audit', '--connections', '--format', 'yaml'], { shared: true });
    expect(yaml.stdout).toMatch(/user: alice/);
  });

  test('ends, is counted, and is shown as last seen', async () => {
    logSshd(state, closed({ at: at(5), pid: 7 }, 'alice'));
    await eventually(
      async () => ((await list()).connections[0]?.state === 'ended' ? true : undefined),
      'the connection has ended',
    );
    const { stdout } = await server.local(['audit', '--connections', '--counts', '--json']);
    const { counts } = (JSON.parse(stdout) as { result: ConnectionCounts }).result;
    expect(counts).toMatchObject([{ user: 'alice', connections: 1 }]);
    const seen = /^ *Last seen: .*, from 192\.0\.2\.7$/m;
    expect((await server.ssh(['info', 'alice'], { shared: true })).stdout).toMatch(seen);
    expect((await server.ssh(['info'], { user: 'self', key: alice.path })).stdout).toMatch(seen);
  });

  test('is found by the other filters of the journal too', async () => {
    const { stdout } = await server.ssh(['audit', '--target', 'alice', '--since', '1d'], { shared: true });
    expect(stdout).toMatch(/ alice +connection .* to alice-container from 192\.0\.2\.7, /);
    expect(stdout).toMatch(/ alice +connection-end .* ended after /);
    expect((await server.local(['audit', 'verify'])).code).toBe(0);
  });
});

describe('the record of connections', () => {
  test('counts each once over a stop, and those that were made meanwhile', async () => {
    logSshd(state, accepted({ at: at(0), pid: 10 }, 'alice', '192.0.2.10'));
    await connections(2);
    expect(await server.stop()).toBe(0);
    logSshd(state, accepted({ at: at(0), pid: 11 }, 'alice', '192.0.2.11'), closed({ at: at(1), pid: 10 }, 'alice'));
    await server.restart();
    expect((await connections(3)).map(({ address }) => address)).toEqual(['192.0.2.7', '192.0.2.10', '192.0.2.11']);
  });

  test('counts each once although the server is killed', async () => {
    logSshd(state, accepted({ at: at(0), pid: 12 }, 'alice', '192.0.2.12'));
    await connections(4);
    await server.kill();
    logSshd(state, accepted({ at: at(0), pid: 13 }, 'alice', '192.0.2.13'));
    await server.restart();
    await connections(5);
    const { stdout } = await server.local(['audit', '--connections', '--counts', '--json']);
    const { counts } = (JSON.parse(stdout) as { result: ConnectionCounts }).result;
    expect(counts.reduce((sum, { connections: count }) => sum + count, 0)).toBe(5);
  });
});

describe('audit', () => {
  test.each([
    [['audit', '--user', 'alice'], '--user and --counts require --connections'],
    [['audit', '--counts'], '--user and --counts require --connections'],
    [['audit', '--connections', '--actor', 'alice'], '--connections goes together with'],
  ])('refuses %s, and says what goes together', async (words, why) => {
    const { code, stderr } = await server.ssh(words, { shared: true });
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });
});

describe('security', () => {
  test('shows the connections and the failed logins', async () => {
    logSshd(state, failed({ at: at(0), pid: 20 }, 'root', '192.0.2.99', 'authenticating'));
    const { stdout } = await eventually(async () => {
      const answer = await server.ssh(['security'], { shared: true });
      return answer.stdout.includes('192.0.2.99') ? answer : undefined;
    }, 'the failed login is recorded');
    expect(stdout).toMatch(/^alice +alice-container +192\.0\.2\.13 .* open$/m);
    expect(stdout).toMatch(/^Failed and refused logins: \d+ at this server, at the host's sshd: 1$/m);
    expect(stdout).toMatch(/^192\.0\.2\.99 +0 +1 +-$/m);
    expect(stdout).toMatch(/^alice +user +\d+ +5 +/m);
  });

  test('is open to viewers, and not to owners', async () => {
    const viewer = await makeKey(await temporaryFolder(), 'vera');
    await server.local(['admin', 'add', 'vera', '--role', 'viewer', '--ssh-key', '-'], { stdin: viewer.line });
    expect((await server.ssh(['security'], { key: viewer.path })).code).toBe(0);
    expect((await server.ssh(['security'], { user: 'self', key: alice.path })).code).not.toBe(0);
  });

  test('--follow prints a connection when it is made, until the client leaves', async () => {
    const following = server.startSsh(['security', '--follow']);
    let output = '';
    following.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await eventually(() => (output === '' ? undefined : true), 'the last events');
    logSshd(state, accepted({ at: at(0), pid: 30 }, 'alice', '192.0.2.30'));
    await eventually(
      () => (/ connection +alice +to alice-container from 192\.0\.2\.30, /.test(output) ? true : undefined),
      'the connection is printed',
    );
    following.kill('SIGTERM');
    await following;
  });

  test('--follow has no end, so it has no other format', async () => {
    const { code, stderr } = await server.ssh(['security', '--follow', '--format', 'csv'], { shared: true });
    expect(code).toBe(2);
    expect(stderr).toContain('its output has no end');
  });
});
