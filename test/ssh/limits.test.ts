/**
 * Limits before the login: the number of pending logins, their duration, and penalties for sources that fail. Every
 * address of 127.0.0.0/8 belongs to this machine, so that a test has all the sources it needs. 127.0.0.1 is exempt
 * (support/server.ts).
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { bytesBelow } from '../support/files.ts';
import { sshAudit } from '../support/downloads.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { ed25519Signer, message, RawClient, string, stringAt, uint32 } from '../support/rawClient.ts';
import { inNetworkOf, inNewNetwork } from '../support/network.ts';
import { eventually, startServer, temporaryFolder, type Finished, type TestServer } from '../support/server.ts';

let stranger: TestKey;

beforeAll(async () => {
  stranger = await makeKey(await temporaryFolder(), 'stranger');
});

/** Connects, sends only `said`, and collects what the server sends until it closes the connection. */
function listen(
  port: number,
  from: string,
  said = '',
): { readonly socket: ReturnType<typeof connect>; readonly closed: Promise<string> } {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.on('error', () => undefined);
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
  if (said !== '') socket.write(said);
  return { socket, closed: once(socket, 'close').then(() => text) };
}

/** Returns the process ID of the front, which is core's only child. */
async function frontOf(server: TestServer): Promise<string> {
  return (await readFile(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')).trim().split(' ')[0] ?? '';
}

async function descriptors(server: TestServer): Promise<number> {
  return (await readdir(`/proc/${await frontOf(server)}/fd`)).length;
}

async function works(server: TestServer, from = '127.0.0.1'): Promise<void> {
  const { code, stderr } = await server.ssh(['whoami'], { options: ['-b', from] });
  expect(code, stderr).toBe(0);
}

/** Connects with the stock client and an unknown key. */
function fails(server: TestServer, from: string): Promise<Finished> {
  return server.ssh(['whoami'], { key: stranger.path, options: ['-b', from] });
}

/**
 * Matches what a rejected connection receives: a line of text, an identification string, and a disconnect message (RFC
 * 4253).
 */
const rejection = (reason: string): RegExp =>
  new RegExp(`^${reason}\\r\\nSSH-2\\.0-containarium\\r\\n\\0[^]*\\x01\\0\\0\\0\\x0c[^]*${reason}`);

async function until(server: TestServer, from: string): Promise<number> {
  const { stdout } = await server.local(['ban', 'list', '--json']);
  const { bans } = (JSON.parse(stdout) as { result: { bans: { network: string; at: string; until: string }[] } })
    .result;
  const found = bans.find(({ network }) => network === from);
  return found === undefined ? 0 : Date.parse(found.until) - Date.parse(found.at);
}

describe('the server', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({
      config: {
        ssh: {
          identificationMs: 1500,
          loginGraceMs: 3000,
          pendingLogins: { start: 60, full: 80, perSource: 20 },
          penalties: { minMs: 600_000, failedLoginMs: 0, exempt: [] },
        },
      },
    });
  });

  test('rejects most of 2,000 silent connections at once, and serves an admin (18)', async () => {
    await works(server);
    const before = await descriptors(server);
    const silent: ReturnType<typeof listen>[] = [];
    while (silent.length < 2000) {
      // No more at a time than the kernel queues for a busy server: no server would close the dropped ones.
      const some = Array.from({ length: 100 }, () => listen(server.port, '127.0.0.2'));
      silent.push(...some);
      await Promise.all(some.map(({ socket }) => once(socket, 'data')));
    }
    await works(server);
    const said = await Promise.all(silent.map(({ closed }) => closed));
    const reason = 'Too many connections from this address are logging in: try again in a moment\\.';
    expect(said.filter((text) => text === 'SSH-2.0-containarium\r\n').length).toBeLessThanOrEqual(40);
    expect(said.filter((text) => rejection(reason).test(text)).length).toBeGreaterThan(100);
    await eventually(
      async () => ((await descriptors(server)) <= before ? true : undefined),
      'the descriptors are free again',
    );
  });

  test('closes a connection without a login after the key exchange, with the reason (21)', async () => {
    const client = await RawClient.connect(server.port, '127.0.0.3');
    await client.ends();
    const told = client.received.find(([type]) => type === message.disconnect);
    expect(told === undefined ? 'nothing' : stringAt(told, 5).toString()).toBe('No login within 3 seconds');
  });

  test('leaves slots for other addresses if one address has 200 pending logins (22)', async () => {
    const half = Array.from({ length: 200 }, () => listen(server.port, '127.0.0.4', 'SSH-2.0-half\r\n'));
    await works(server, '127.0.0.5');
    const said = await Promise.all(half.map(({ closed }) => closed));
    expect(said.filter((text) => text.startsWith('SSH-')).length).toBeLessThanOrEqual(20);
  });

  test('keeps slots for a source with a recent login during a flood from many addresses', async () => {
    await works(server, '127.0.0.6');
    const flood = Array.from({ length: 300 }, (_, i) =>
      listen(server.port, `127.0.7.${1 + (i % 150)}`, 'SSH-2.0-half\r\n'),
    );
    const first = await Promise.race(flood.map(async ({ socket }) => once(socket, 'data')));
    expect(first).toBeDefined();
    for (let i = 0; i < 3; i++) await works(server, '127.0.0.6');
    const said = await Promise.all(flood.map(({ closed }) => closed));
    expect(
      said.filter((text) => rejection('Too many connections are logging in: try again in a moment\\.').test(text))
        .length,
    ).toBeGreaterThan(0);
    expect(said.filter((text) => text.startsWith('SSH-')).length).toBeLessThanOrEqual(80);
  });

  test('refuses a command of more than 32 KiB', async () => {
    for (const long of ['x'.repeat(33_000), 'é'.repeat(16_500)]) {
      const { code, stderr } = await server.ssh(['whoami', long]);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringContaining('longer than 32768 bytes') as string,
      });
    }
  });

  test('refuses an eleventh session in a connection, with the reason', async () => {
    const [, base64 = ''] = (await readFile(`${server.adminKey}.pub`, 'utf8')).split(' ');
    const client = await RawClient.connect(server.port);
    await client.requestAuthentication();
    const key = { blob: Buffer.from(base64, 'base64'), private: await readFile(server.adminKey, 'utf8') } as TestKey;
    expect(await client.tryKey('manage', 'ssh-ed25519', key.blob, ed25519Signer(key))).toBe(message.userauthSuccess);
    for (let id = 0; id < 10; id++) await client.openSession({ id });
    client.send(message.channelOpen, string('session'), uint32(10), uint32(65_536), uint32(32_768));
    const refused = await client.take(message.channelOpenFailure);
    expect(stringAt(refused, 9).toString()).toBe('a connection may have at most 10 sessions');
    client.destroy();
  });
});

test('the identification line and the login have separate time limits, which a login ends', async () => {
  const server = await startServer({
    config: {
      ssh: {
        identificationMs: 500,
        loginGraceMs: 2500,
        penalties: { noLoginMs: 0, lateMs: 20_000, minMs: 15_000, exempt: [] },
      },
    },
  });
  const [, base64 = ''] = (await readFile(`${server.adminKey}.pub`, 'utf8')).split(' ');
  const inside = await RawClient.login(server.port, {
    type: 'ssh-ed25519',
    blob: Buffer.from(base64, 'base64'),
    private: await readFile(server.adminKey, 'utf8'),
  } as TestKey);
  // With one limit for both, `halfway` would be closed before `silent`.
  const halfway = await RawClient.connect(server.port, '127.0.0.2');
  const silent = listen(server.port, '127.0.0.3');
  expect(await silent.closed).toBe('SSH-2.0-containarium\r\n');
  expect(halfway.closed).toBe(false);
  await halfway.ends();
  expect(inside.closed).toBe(false);
  await inside.openSession();
  inside.destroy();
  // Both are penalised for the timeout, and not for the missing login.
  for (const from of ['127.0.0.2', '127.0.0.3'])
    expect(await listen(server.port, from).closed).toMatch(
      rejection('Too many login timeouts from this address: try again in \\d+ seconds\\.'),
    );
});

describe('a source that fails', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({
      config: { ssh: { penalties: { failedLoginMs: 4000, minMs: 4000, maxMs: 60_000, exempt: ['127.0.0.9'] } } },
    });
  });

  test('is rejected for a growing time and told the reason, and other sources are not (23)', async () => {
    const answers: string[] = [];
    for (let i = 0; i < 20; i++) answers.push((await fails(server, '127.0.0.2')).stderr);
    expect(answers[0]).toBe('manage@127.0.0.1: Permission denied (publickey).\r\n');
    expect(
      answers.filter((text) =>
        /Received disconnect from 127\.0\.0\.1 port \d+:12: Too many failed logins from this address: try again in \d seconds?\./.test(
          text,
        ),
      ).length,
    ).toBeGreaterThan(1);
    const first = await until(server, '127.0.0.2');
    expect(first).toBeGreaterThan(4000);
    for (let i = 0; i < 8; i++) await works(server, '127.0.0.3');
    for (let i = 0; i < 8; i++) expect((await fails(server, '127.0.0.9')).stderr).toMatch(/Permission denied/);

    // The penalty ends by itself, and the next penalty is longer.
    await eventually(
      async () => ((await fails(server, '127.0.0.2')).stderr.includes('Permission denied') ? true : undefined),
      'the penalty ends',
    );
    await eventually(
      async () => {
        await fails(server, '127.0.0.2');
        return (await until(server, '127.0.0.2')) > first ? true : undefined;
      },
      'a longer penalty',
      50_000,
    );
  }, 150_000);

  test('is rejected until an admin lifts the penalty, also after a restart of front and core (23)', async () => {
    const refused = async (): Promise<boolean> =>
      (await fails(server, '127.0.0.4')).stderr.includes('Too many failed logins');
    await eventually(async () => ((await refused()) ? true : undefined), 'a penalty');
    // A penalty long enough for the restarts below.
    for (let i = 0; i < 6; i++) {
      await eventually(
        async () => ((await until(server, '127.0.0.4')) === 0 ? undefined : true),
        'the penalty is listed',
      );
      if ((await until(server, '127.0.0.4')) > 12_000) break;
      await eventually(async () => ((await refused()) ? undefined : true), 'the penalty ends', 30_000);
      await eventually(async () => ((await refused()) ? true : undefined), 'the next one', 30_000);
    }
    process.kill(Number(await frontOf(server)), 'SIGKILL');
    await eventually(
      async () =>
        (await server.ssh(['whoami'], { options: ['-o', 'ConnectionAttempts=5'] })).code === 0 ? true : undefined,
      'the front is back',
    );
    expect(await refused()).toBe(true);
    await server.stop();
    await server.restart();
    expect(await refused()).toBe(true);
    const lifted = await server.ssh(['ban', 'lift', '127.0.0.4']);
    expect(lifted.stdout).toMatch(/^127\.0\.0\.4 may connect again/);
    expect(await refused()).toBe(false);
    expect((await server.ssh(['ban', 'lift', '127.0.0.4'])).code).toBe(3);
  }, 150_000);
});

describe('by default', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ config: { ssh: { penalties: { exempt: [] } } } });
  });

  test('one source is served fewer than 20 connections without a login (5)', async () => {
    // Counted as in ssh-audit: a connection that receives an identification string is served.
    const served: Promise<boolean>[] = [];
    const began = performance.now();
    for (let i = 0; i < 300; i++) {
      const { socket, closed } = listen(server.port, '127.0.0.2');
      socket.once('data', () => socket.destroy());
      served.push(closed.then((text) => text.startsWith('SSH-')));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    // Each connection adds a second to its source, and each second that passes takes one away.
    const seconds = (performance.now() - began) / 1000;
    expect((await Promise.all(served)).filter(Boolean).length).toBeLessThan(20 + seconds);
    // Later connections are not served.
    const later = await Promise.all(Array.from({ length: 50 }, () => listen(server.port, '127.0.0.2').closed));
    expect(later.filter((text) => text.startsWith('SSH-'))).toEqual([]);
    expect(later[0]).toMatch(
      rejection(
        'Too many connections without a login from this address: try again in [0-9]+ (second|minute)s?( [0-9]+ seconds?)?\\.',
      ),
    );
  });

  test('an agent with many keys and a burst of commands cause no penalty', async () => {
    const folder = await temporaryFolder();
    const others = await Promise.all(['one', 'two', 'three', 'four', 'five'].map((name) => makeKey(folder, name)));
    const agent = others.flatMap(({ path }) => ['-i', path]);
    for (let i = 0; i < 6; i++)
      expect(await server.ssh(['whoami'], { options: ['-b', '127.0.0.3', ...agent] })).toMatchObject({ code: 0 });
    const burst = await Promise.all(
      Array.from({ length: 24 }, () => server.ssh(['whoami'], { options: ['-b', '127.0.0.3'] })),
    );
    expect(burst.filter(({ code }) => code !== 0)).toEqual([]);
  });

  test('1,000 failing connections add less than 32 KiB to the journal and 64 KiB to the state (25)', async () => {
    const journal = join(server.home, 'state', 'journal');
    const before = await bytesBelow(journal);
    let refused = 0;
    for (let i = 0; i < 1000; i += 20) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, j) => {
          try {
            const client = await RawClient.connect(server.port, `127.0.9.${1 + ((i + j) % 100)}`);
            await client.requestAuthentication();
            await client.tryKey('manage', 'ssh-ed25519', stranger.blob, ed25519Signer(stranger));
            client.destroy();
          } catch {
            refused++;
          }
        }),
      );
    }
    expect(refused).toBeGreaterThan(50);
    await works(server);
    const { stdout } = await server.local(['audit', 'export', '--limit', '1000']);
    expect(stdout.match(/"type":"penalty"/g)?.length).toBeLessThanOrEqual(20);
    expect((await bytesBelow(journal)) - before).toBeLessThan(32_768);
    expect((await stat(join(server.home, 'state', 'bans.json'))).size).toBeLessThan(65_536);
  }, 120_000);
});

describe('ssh-audit, from an address that is not exempt', () => {
  async function audit(args: readonly string[], forMs?: number): Promise<string> {
    const server = await startServer({ config: { ssh: { penalties: { exempt: [] } } }, within: inNewNetwork });
    const { stdout } = await sshAudit([...args, '--port', String(server.port), '127.0.0.1'], {
      within: inNetworkOf(server.pid),
      ...(forMs === undefined ? {} : { forMs }),
    });
    return stripVTControlCharacters(stdout);
  }

  test('does not report a missing limit of connections (5)', async () => {
    const report = await audit(['--json']);
    expect(report).toContain('"algorithm": "curve25519-sha256"');
    // ssh-audit reports a missing limit at 20 connections a second.
    expect(report).not.toMatch(/DHEat|throttling/);
  });

  test('is served fewer than 20 connections, and one more a second, however often it connects (5)', async () => {
    // On a busy machine ssh-audit takes longer to start, and connects less often.
    for (const forMs of [4000, 12_000]) {
      const said = (await audit(['--conn-rate-test', '16'], forMs)).split('\r').flatMap((line) => {
        const [, seconds = '', asked = '', rate = ''] =
          /Run time: ([\d,.]+); TCP SYNs: ([\d,]+); .*Compl\. conns\/sec: ([\d,.]+)/.exec(line) ?? [];
        return asked === ''
          ? []
          : [{ asked: number(asked), seconds: number(seconds), served: number(rate) * number(seconds) }];
      });
      // Each connection adds a second to its source, and each second that passes takes one away.
      for (const { served, seconds } of said) expect(served).toBeLessThan(20 + seconds);
      // ssh-audit continued to connect.
      if ((said.at(-1)?.asked ?? 0) > 500) return;
    }
    throw new Error('ssh-audit connected too rarely');
  });

  const number = (text: string): number => Number(text.replaceAll(',', ''));
});

describe('a ban', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
  });

  test('rejects a network and closes its pending logins, but not its open logins', async () => {
    const half = await RawClient.connect(server.port, '127.0.0.21');
    const inside = server.startSsh([], { options: ['-b', '127.0.0.22', '-N'] });
    await eventually(
      async () => ((await server.local(['session', 'list'])).stdout.includes('127.0.0.22') ? true : undefined),
      'the session',
    );
    const added = await server.ssh('ban add 127.0.0.16/28 --for 1h --reason scans --yes --lock-out'.split(' '));
    expect(added).toMatchObject({ code: 0, stdout: expect.stringMatching(/^127\.0\.0\.16\/28 is banned/) as string });
    await half.ends();
    expect(stringAt(half.received.find(([type]) => type === message.disconnect) ?? Buffer.alloc(9), 5).toString()).toBe(
      'This address is banned (scans): try again in 1 hour.',
    );
    expect((await server.ssh(['whoami'], { options: ['-b', '127.0.0.22'] })).stderr).toMatch(
      /This address is banned \(scans\): try again in/,
    );
    await works(server, '127.0.0.32');
    expect((await server.local(['session', 'list'])).stdout).toContain('127.0.0.22');
    inside.kill();
    await inside;
    const { stdout } = await server.ssh(['audit', 'export', '--verb', '"ban add"']);
    expect(stdout).toContain('"network":"127.0.0.16/28"');
    // The ban survives a restart.
    await server.stop();
    await server.restart();
    expect((await server.ssh(['whoami'], { options: ['-b', '127.0.0.22'] })).code).toBe(255);
    expect((await server.ssh(['ban', 'lift', '127.0.0.22'])).code).toBe(3);
    expect((await server.ssh(['ban', 'lift', '127.0.0.16/28'])).code).toBe(0);
    await works(server, '127.0.0.22');
  });

  test('ends by itself', async () => {
    expect((await server.ssh(['ban', 'add', '127.0.0.40', '--for', '2s'])).code).toBe(0);
    expect((await server.ssh(['whoami'], { options: ['-b', '127.0.0.40'] })).code).toBe(255);
    await eventually(
      async () => ((await server.ssh(['whoami'], { options: ['-b', '127.0.0.40'] })).code === 0 ? true : undefined),
      'the ban ends',
    );
    expect((await server.ssh(['ban', 'list'])).stdout).toMatch(/No bans or penalties/);
  });

  test("of the caller's own address or of a very large network requires --yes, and --lock-out", async () => {
    for (const network of ['127.0.0.1', '127.0.0.0/24', '64.0.0.0/2', '::/0', '2000::/3']) {
      expect(await server.ssh(['ban', 'add', network])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--yes') as string,
      });
    }
    expect((await server.ssh(['ban', 'add', 'localhost'])).code).toBe(2);
    expect((await server.ssh(['ban', 'add', '2000::/3', '--yes'])).code).toBe(0);
    await works(server);
    // An admin who is locked out can lift the ban in local mode.
    expect((await server.ssh(['ban', 'add', '127.0.0.1', '--yes', '--lock-out'])).code).toBe(0);
    expect((await server.ssh(['whoami'])).code).toBe(255);
    expect((await server.local(['ban', 'lift', '127.0.0.1'])).code).toBe(0);
    await works(server);
  });
});
