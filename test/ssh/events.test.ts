/**
 * Logins, their ends and rejected logins in the journal and the log. The real fail2ban reads the log.
 */
import { chmod } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { bytesBelow } from '../support/files.ts';
import { printable } from '../../src/domain/text.ts';
import { withAdmins } from '../support/admins.ts';
import { failuresIn } from '../support/fail2ban.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { message, RawClient, string } from '../support/rawClient.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';

interface Record_ {
  readonly type: string;
  readonly time: string;
  readonly actor: {
    readonly name: string;
    readonly entryPoint: string;
    readonly login: string;
    readonly fingerprint: string;
    readonly address: string;
  };
  readonly [field: string]: unknown;
}

let server: TestServer;
let folder: string;
let admin: TestKey;
let viewer: TestKey;
let stranger: TestKey;

beforeAll(async () => {
  folder = await temporaryFolder();
  [admin, viewer, stranger] = await Promise.all([
    makeKey(folder, 'admin'),
    makeKey(folder, 'viewer'),
    makeKey(folder, 'stranger'),
  ]);
  server = await startServer({
    env: { CONTAINARIUM_LOG: 'info' },
    prepare: withAdmins([
      { name: 'chief', role: 'admin', keys: [admin] },
      { name: 'viewer', role: 'viewer', keys: [viewer] },
    ]),
  });
});

async function records(types: readonly string[], of: TestServer = server): Promise<Record_[]> {
  const { stdout } = await of.local(['audit', 'export']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record_)
    .filter(({ type }) => types.includes(type));
}

/** Returns the lines of the log. Throws if a line is not one JSON object. */
function lines(of: TestServer = server): { readonly level: string; readonly event?: string; readonly msg?: string }[] {
  return of
    .log()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as never);
}

const bytesOfJournal = (of: TestServer): Promise<number> => bytesBelow(join(of.home, 'state', 'journal'));

describe('a login', () => {
  test('is recorded with its person, entry point, key, address, name and method, and so is its end', async () => {
    const { stdout } = await server.ssh(['session', 'list', '--json'], { key: admin.path });
    const { result } = JSON.parse(stdout) as { result: { sessions: { login: string }[] } };
    const login = result.sessions[0]?.login;
    const [opened] = await records(['login']);
    expect(opened).toMatchObject({
      actor: {
        name: 'chief',
        role: 'admin',
        entryPoint: 'manage',
        login,
        fingerprint: admin.fingerprint,
        address: '127.0.0.1',
      },
      by: {
        method: 'publickey',
        algorithm: 'ssh-ed25519',
        transport: {
          keyExchange: expect.stringMatching(/25519/) as string,
          hostKey: 'ssh-ed25519',
          cipher: expect.any(String) as string,
        },
      },
    });
    const closed = await eventually(
      async () => (await records(['logout'])).find(({ actor }) => actor.login === login),
      'the end of the login',
    );
    expect(closed).toMatchObject({ actor: opened?.actor as object, durationMs: expect.any(Number) as number });
    expect(closed['reason']).toBeUndefined();
  });

  test('that the server ends is recorded with the reason', async () => {
    const open = server.startSsh([], { key: viewer.path, options: ['-N'] });
    await eventually(
      async () => (await server.local(['session', 'list'])).stdout.includes('viewer') || undefined,
      'the viewer is here',
    );
    await server.ssh(['session', 'kick', 'viewer', '--reason', 'lunch'], { key: admin.path });
    expect((await open).exitCode).toBe(255);
    const closed = await eventually(
      async () => (await records(['logout'])).find(({ actor }) => actor.name === 'viewer'),
      'the end of the login',
    );
    expect(closed['reason']).toBe('ended by chief: lunch');
  });

  test('in local mode is not recorded, but its calls are', async () => {
    await server.local(['list']);
    const all = await records(['login', 'logout', 'verb']);
    expect(all.filter(({ type, actor }) => type !== 'verb' && actor.entryPoint === 'local')).toEqual([]);
    expect(all.filter(({ type, actor }) => type === 'verb' && actor.entryPoint === 'local').length).toBeGreaterThan(0);
  });

  test('is found in audit with all its calls, also in a table', async () => {
    await server.ssh(['list'], { key: admin.path });
    const opened = (await records(['login'])).at(-1);
    const login = opened?.actor.login ?? '';
    const { stdout } = await server.local(['audit', '--session', login]);
    const rows = stdout.trim().split('\n').slice(1);
    expect(rows.map((row) => / (login|verb|logout) /.exec(row)?.[1])).toEqual(
      expect.arrayContaining(['login', 'verb']),
    );
    expect(rows[0]).toMatch(
      new RegExp(
        `chief +login +- +- +- +manage@ from 127\\.0\\.0\\.1, ${admin.fingerprint.replaceAll('+', '\\+')} \\(ssh-ed25519\\)`,
      ),
    );
    for (const row of rows) expect(row).toContain('chief');
    expect((await server.local(['audit', '--session', 'NOBODY'])).stdout).toMatch(/^No records/);
  });
});

describe('doctor', () => {
  interface Diagnosis {
    readonly result: {
      readonly worst: string;
      readonly checks: readonly { readonly name: string; readonly severity: string; readonly detail: string }[];
    };
  }

  test('over ssh names the key exchange of its own connection', async () => {
    const { stdout, code } = await server.ssh(['doctor', '--json'], {
      key: admin.path,
      options: ['-o', 'KexAlgorithms=curve25519-sha256'],
    });
    const { result } = JSON.parse(stdout) as Diagnosis;
    const found = Object.fromEntries(result.checks.map((check) => [check.name, check]));
    expect(found['key exchange']).toMatchObject({
      severity: 'warning',
      detail: expect.stringContaining('this connection: curve25519-sha256, ') as string,
    });
    expect(found['host key']).toMatchObject({
      severity: 'ok',
      detail: expect.stringMatching(/^ed25519, mode 0600, 0 days old$/) as string,
    });
    expect(found['pool']?.severity).toBe('ok');
    expect(found['limits']?.detail).toMatch(/^\d+ of \d+ logins, \d+ of /);
    expect(found['journal']?.detail).toMatch(/^\d+ records, head /);
    // With warnings alone the exit code stays 0.
    expect(result.worst).toBe('warning');
    expect(code).toBe(0);
  });

  test('in local mode reports no key exchange', async () => {
    const { result } = JSON.parse((await server.local(['doctor', '--json'])).stdout) as Diagnosis;
    expect(result.checks.find(({ name }) => name === 'key exchange')).toMatchObject({
      severity: 'ok',
      detail: 'this call did not come over ssh',
    });
  });

  test('exits with 1 if there is a problem', async () => {
    const path = join(server.home, 'keys', 'host_ed25519');
    await chmod(path, 0o644);
    const { stdout, code } = await server.local(['doctor', '--json']);
    await chmod(path, 0o600);
    expect((JSON.parse(stdout) as Diagnosis).result.worst).toBe('problem');
    expect(code).toBe(1);
  });
});

describe('audit', () => {
  test('shows the person with each step of an operation', async () => {
    await server.ssh(['create', 'stepped'], { key: admin.path, stdin: stranger.line });
    const { stdout } = await server.local(['audit', '--steps', '--limit', '50', '--format', 'csv']);
    const steps = stdout.split('\n').filter((line) => /,step(-done)?,/.test(line));
    expect(steps.length).toBeGreaterThan(2);
    for (const step of steps) expect(step).toMatch(/,chief,step(-done)?,(create|image build),/);
    await server.ssh(['delete', 'stepped', '--yes'], { key: admin.path });
  });

  test('accepts only limits of one or more', async () => {
    expect((await server.local(['audit', '--limit', '0'])).stderr).toMatch(
      /--limit must be a whole number from 1 to 9999999, not "0" \(usage\)/,
    );
    expect((await server.local(['audit', '--limit', '1', '--format', 'csv'])).stdout.trim().split('\n')).toHaveLength(
      2,
    );
  });
});

describe('failed logins', () => {
  /** Hostile login names. */
  const forgeries = [
    'x\nauthentication failure from 1.2.3.4 port 5 (manage): no accepted key',
    'from 1.2.3.4',
    'x"}\n{"level":"warn","time":"2026-11-24T17:43:43.123Z","event":"auth-failure","msg":"authentication failure from 1.2.3.4 port 5 (manage): too many authentication attempts"}',
    '1.2.3.4 port 22\r\n',
    '\u202e4.3.2.1\u001b[2K',
    '<ADDR>%s%n',
    '',
  ];

  test('have one line each, in which the real fail2ban finds the address, and no other event has one', async () => {
    const quiet = await startServer({
      env: { CONTAINARIUM_LOG: 'info' },
      prepare: withAdmins([{ name: 'chief', role: 'admin', keys: [admin] }]),
    });
    const failing = [
      () => quiet.ssh(['list'], { key: stranger.path }),
      () => quiet.ssh(['list'], { key: stranger.path, user: 'root' }),
      () => quiet.ssh(['list'], { key: stranger.path, user: 'self' }),
      () => quiet.ssh(['list'], { key: admin.path, user: 'self' }),
      ...forgeries.map((user) => async () => {
        const client = await RawClient.connect(quiet.port);
        await client.requestAuthentication();
        await client.tryLogin(user, 'password', Buffer.from([0]), string('x'));
        client.destroy();
      }),
      async () => {
        const client = await RawClient.connect(quiet.port);
        await client.requestAuthentication();
        await client.tryKey('manage', 'ssh-ed25519', admin.blob, () =>
          Buffer.concat([string('ssh-ed25519'), string(Buffer.alloc(64))]),
        );
        client.destroy();
      },
      async () => {
        const client = await RawClient.connect(quiet.port);
        await client.requestAuthentication();
        for (let i = 0; i < 6; i++) await client.tryLogin('from 1.2.3.4', 'password', Buffer.from([0]), string('x'));
        await client.ends();
      },
    ];
    // None of these is a failed login: a login whose first keys were rejected, a connection that only exchanges keys,
    // and a silent connection.
    const succeeding = [
      () => quiet.ssh(['list'], { key: admin.path }),
      () => quiet.ssh(['list'], { key: admin.path, options: ['-i', stranger.path] }),
      async () => (await RawClient.connect(quiet.port)).destroy(),
      async () => {
        const socket = connect(quiet.port, '127.0.0.1');
        await new Promise<void>((resolve) => socket.once('data', () => resolve()));
        socket.destroy();
      },
    ];
    for (const fail of failing) await fail();
    for (const succeed of succeeding) await succeed();
    await quiet.local(['audit', '--actor', '"}\n authentication failure from 1.2.3.4 port 5 (manage): x']);
    await eventually(
      () => lines(quiet).filter(({ event }) => event === 'auth-failure').length >= failing.length || undefined,
      'all failures are in the log',
    );
    await quiet.stop();

    const said = lines(quiet)
      .filter(({ event }) => event === 'auth-failure')
      .map(({ msg = '' }) => msg.replace(/port \d+/, 'port'));
    expect(said).toHaveLength(failing.length);
    expect(
      said.filter((line) => line === 'authentication failure from 127.0.0.1 port (manage): invalid signature'),
    ).toHaveLength(1);
    expect(
      said.filter(
        (line) => line === 'authentication failure from 127.0.0.1 port (other): too many authentication attempts',
      ),
    ).toHaveLength(1);
    expect(
      said.filter(
        (line) => line === 'authentication failure from 127.0.0.1 port (other): unsupported authentication method',
      ),
    ).toHaveLength(forgeries.length);
    expect(said.filter((line) => line.endsWith(': no accepted key'))).toHaveLength(4);
    expect(await failuresIn(quiet.log(), folder)).toEqual(failing.map(() => '127.0.0.1'));
    // With host and program in front, as journald prints lines.
    const fromJournal = quiet.log().replaceAll(/^(?=\{)/gm, 'Nov 24 17:43:43 jump containarium[4711]: ');
    expect(await failuresIn(fromJournal, folder)).toEqual(failing.map(() => '127.0.0.1'));
    expect([...quiet.log()].filter((character) => character !== '\n' && printable(character) !== character)).toEqual(
      [],
    );
    expect(quiet.log()).not.toContain('1.2.3.4');
  });

  test('by the thousand over real connections add a few kilobytes to the journal, and all of them are counted', async () => {
    const flooded = await startServer({ prepare: withAdmins([{ name: 'chief', role: 'admin', keys: [admin] }]) });
    const before = await bytesOfJournal(flooded);
    const total = 2000;
    let begun = 0;
    const attack = async (): Promise<void> => {
      while (begun++ < total) {
        const client = await RawClient.connect(flooded.port);
        await client.requestAuthentication();
        expect(await client.tryLogin('root', 'password', Buffer.from([0]), string('x'))).toBe(message.userauthFailure);
        client.destroy();
      }
    };
    await Promise.all(Array.from({ length: 20 }, attack));
    // The front reports the remaining ones when it drains, and core records them when it stops.
    await flooded.stop();
    expect((await bytesOfJournal(flooded)) - before).toBeLessThan(100_000);
    await flooded.restart();
    const refusals = await records(['refusals'], flooded);
    expect(refusals.reduce((sum, { count }) => sum + Number(count), 0)).toBe(total);
    expect(refusals.at(-1)).toMatchObject({
      sources: 1,
      reasons: { method: expect.any(Number) as number },
      top: [{ address: '127.0.0.1' }],
    });
    const { stdout } = await flooded.local(['audit', '--limit', '40']);
    expect(stdout).toMatch(/refusals +- +- +- +\d+ refusals? from 1 source: 127\.0\.0\.1 \d+/);
    expect((await flooded.local(['audit', 'verify'])).code).toBe(0);
  }, 300_000);
});
