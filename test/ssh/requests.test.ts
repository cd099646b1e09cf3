/**
 * Requests of a client for a session or the connection, in any order: unsupported requests are refused, and a refused
 * request has no other effect.
 */
import { once } from 'node:events';
import { execa } from 'execa';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { join } from 'node:path';
import { bytesBelow } from '../support/files.ts';
import { adminOf, anySource, frontOf } from '../support/front.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { boolean, ed25519Signer, message, RawClient, string, stringAt, uint32 } from '../support/rawClient.ts';
import { eventually, startServer, temporaryFolder, type Finished, type TestServer } from '../support/server.ts';

let server: TestServer;
let admin: TestKey;
let folder: string;
let pid: number;

beforeAll(async () => {
  server = await startServer();
  admin = await adminOf(server);
  folder = await temporaryFolder();
  pid = await frontOf(server);
});

afterEach(async () => {
  expect(await frontOf(server)).toBe(pid);
  expect(server.log()).not.toMatch(/"kind":"(uncaught|unhandled)"/);
});

function login(): Promise<RawClient> {
  return RawClient.login(server.port, admin, 'manage', anySource());
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Expects that another command over the same connection succeeds after a refused request. */
async function stillServes(client: RawClient): Promise<void> {
  client.received.length = 0;
  const channel = await client.openSession({ id: 4242 });
  expect(await client.granted(channel, 'exec', string('whoami --json'))).toBe(true);
  expect(await client.exitStatus()).toBe(0);
  client.destroy();
}

describe('a session', () => {
  test.each([
    ['exec', 'shell'],
    ['exec', 'exec'],
    ['shell', 'exec'],
    ['shell', 'shell'],
    ['exec', 'subsystem'],
  ])('runs only the first of two requests: %s, then %s (40)', async (first, second) => {
    const client = await login();
    const channel = await client.openSession();
    const fields = (type: string): Buffer[] =>
      type === 'exec' ? [string('whoami')] : type === 'subsystem' ? [string('sftp')] : [];
    client.together(() => {
      client.request(channel, first, ...fields(first));
      client.request(channel, second, ...fields(second));
    });
    await client.take(message.channelSuccess);
    await client.take(message.channelClose);
    expect(client.received.filter(([type]) => type === message.channelSuccess)).toEqual([]);
    await stillServes(client);
  });

  test.each(['exec', 'shell', 'pty-req', 'env'])(
    'whose input has ended refuses %s, and can be closed (40)',
    async (type) => {
      const client = await login();
      const channel = await client.openSession();
      client.send(message.channelEof, uint32(channel));
      client.request(
        channel,
        type,
        string('whoami'),
        ...(type === 'pty-req'
          ? [uint32(80), uint32(24), uint32(0), uint32(0), string('')]
          : type === 'env'
            ? [string('x')]
            : []),
      );
      client.send(message.channelClose, uint32(channel));
      await client.take(message.channelClose);
      expect(client.received.map(([got]) => got)).not.toContain(message.channelSuccess);
      await stillServes(client);
    },
  );

  test.each([0xfffffffe, 0xffffffff, 10, 77])(
    "with the unknown number %d gets no other session's answer",
    async (channel) => {
      const client = await login();
      client.request(channel, 'exec', string('whoami'));
      client.send(message.channelData, uint32(channel), string('x'));
      client.send(message.channelClose, uint32(channel));
      // No channel can have the largest number, so it ends the connection. The other numbers are ignored.
      if (channel === 0xffffffff) await client.ends();
      else await stillServes(client);
    },
  );

  test.each([
    ['dumb', /plain|lines of text|admin/i],
    ['../../x', /plain|lines of text|admin/i],
    ['', /plain|lines of text|admin/i],
  ])('with a terminal %j gets lines of text without control sequences (45)', async (type, says) => {
    const client = await login();
    const channel = await client.openSession();
    expect(await client.requestTerminal(channel, type)).toBe(true);
    expect(await client.granted(channel, 'shell')).toBe(true);
    await eventually(
      () => (says.test(client.output()) ? true : undefined),
      () => Promise.resolve(`an answer, not ${client.output()}`),
    );
    client.send(message.channelData, uint32(channel), string('exit\r'));
    expect(await client.exitStatus()).toBe(0);
    expect(client.output()).not.toContain('\u001b');
    client.destroy();
  });

  test('works with a window of any size, changed at any time (45)', async () => {
    const client = await login();
    const channel = await client.openShell();
    for (const [columns, rows] of [
      [0, 0],
      [1, 1],
      [65_535, 65_535],
      [2 ** 32 - 1, 2 ** 32 - 1],
      [80, 0],
      [0, 24],
      [20, 5],
      [80, 24],
    ] as const) {
      client.send(
        message.channelRequest,
        uint32(channel),
        string('window-change'),
        boolean(false),
        uint32(columns),
        uint32(rows),
        uint32(0),
        uint32(0),
      );
      client.received.length = 0;
      client.send(message.channelData, uint32(channel), string('x'));
      await eventually(() => (client.output() === '' ? undefined : true), `something drawn at ${columns} x ${rows}`);
    }
    client.send(message.channelData, uint32(channel), string('\u0015exit\r'));
    expect(await client.exitStatus()).toBe(0);
    client.destroy();
  });

  test('accepts at most 32 variables, and none with a control character (44)', async () => {
    const client = await login();
    const channel = await client.openSession();
    for (const value of ['\u001b[31m', 'a\nb', '\u202e', 'x'.repeat(257)])
      expect(await client.granted(channel, 'env', string('LC_ALL'), string(value)), value).toBe(false);
    for (const name of [
      'PATH',
      'LD_PRELOAD',
      'NODE_OPTIONS',
      'HOME',
      'LC_',
      'lang',
      'LANG\u0000',
      '__proto__',
      'SSH_AUTH_SOCK',
    ])
      expect(await client.granted(channel, 'env', string(name), string('x')), name).toBe(false);
    const granted: boolean[] = [];
    for (let i = 0; i < 40; i++)
      granted.push(
        await client.granted(
          channel,
          'env',
          string(`LC_${String.fromCharCode(65 + (i % 26))}${String.fromCharCode(65 + Math.floor(i / 26))}`),
          string('C'),
        ),
      );
    expect(granted.filter(Boolean)).toHaveLength(32);
    client.destroy();
  });

  test.each(['INT', 'TERM', 'HUP'])(
    'that waits for input is cancelled by SIG%s and changes nothing (48)',
    async (signal) => {
      const client = await login();
      const channel = await client.openSession();
      expect(await client.granted(channel, 'exec', string('create signalled --json'))).toBe(true);
      client.send(message.channelRequest, uint32(channel), string('signal'), boolean(false), string(signal));
      expect(await client.exitStatus()).not.toBe(0);
      expect(JSON.parse(client.output())).toMatchObject({ ok: false, error: { code: 'cancelled' } });
      expect((await server.ssh(['info', 'signalled'])).code).toBe(3);
      client.destroy();
    },
  );

  test.each(['KILL', 'WINCH', 'USR1', 'no-such-signal', '', '\u001b[2J'])(
    'ignores the signal %j (48)',
    async (signal) => {
      const key = await makeKey(folder, `signal-${Math.random()}`);
      const client = await login();
      const channel = await client.openSession();
      const user = `passed${Buffer.from(signal).toString('hex').slice(0, 12)}`;
      expect(await client.granted(channel, 'exec', string(`create ${user} --json`))).toBe(true);
      client.request(channel, 'signal', string(signal));
      client.send(message.channelData, uint32(channel), string(key.line));
      client.send(message.channelEof, uint32(channel));
      expect(await client.exitStatus()).toBe(0);
      client.destroy();
    },
  );

  test('that runs a change completes or undoes it after a signal (48)', async () => {
    const key = await makeKey(folder, 'interrupted');
    const client = await login();
    const channel = await client.openSession();
    expect(await client.granted(channel, 'exec', string('create interrupted --json'))).toBe(true);
    client.send(message.channelData, uint32(channel), string(key.line));
    client.send(message.channelEof, uint32(channel));
    await eventually(
      () =>
        client.received.some(
          (packet) =>
            packet[0] === message.channelExtendedData && stringAt(packet, 9).includes('[1/5] Creating container'),
        )
          ? true
          : undefined,
      'progress',
    );
    client.send(message.channelRequest, uint32(channel), string('signal'), boolean(false), string('INT'));
    await client.exitStatus();
    await eventually(
      async () => ((await server.ssh(['reconcile'])).code === 0 ? true : undefined),
      'nothing is left to reconcile',
    );
    client.destroy();
  });
});

describe('a command whose input arrives before core answers (41)', () => {
  test.each([
    ['a key', ''],
    ['60 KB', `# ${'x'.repeat(77)}\n`.repeat(750)],
  ])('gets all of its input, %s, if channel, command, input and end arrive in one segment', async (_, before) => {
    const key = await makeKey(folder, `early-${before.length}`);
    const input = Buffer.from(`${before}${key.line}`);
    const client = await login();
    // Stops core, so that the front must buffer the input without it.
    process.kill(server.pid, 'SIGSTOP');
    try {
      client.together(() => {
        client.send(message.channelOpen, string('session'), uint32(0), uint32(2 ** 21), uint32(32_768));
        // The number that the server will assign to the channel.
        client.request(0, 'exec', string(`create early${before.length} --json`));
        for (let at = 0; at < input.length; at += 30_000)
          client.send(message.channelData, uint32(0), string(input.subarray(at, at + 30_000)));
        client.send(message.channelEof, uint32(0));
      });
      await client.take(message.channelSuccess);
      await client.changes(1500);
      expect(client.output()).toBe('');
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    expect(await client.exitStatus()).toBe(0);
    expect(JSON.parse(client.output())).toMatchObject({ ok: true });
    expect((await server.ssh(['info', `early${before.length}`, '--json'])).stdout).toContain(key.fingerprint);
    client.destroy();
  });

  test('gets all of its input even if core has not received the proof of the login', async () => {
    const key = await makeKey(folder, 'earliest');
    const client = await RawClient.connect(server.port, anySource());
    await client.requestAuthentication();
    process.kill(server.pid, 'SIGSTOP');
    try {
      expect(await client.tryKey('manage', 'ssh-ed25519', admin.blob, ed25519Signer(admin))).toBe(
        message.userauthSuccess,
      );
      client.together(() => {
        client.send(message.channelOpen, string('session'), uint32(0), uint32(2 ** 21), uint32(32_768));
        client.request(0, 'exec', string('create earliest --json'));
        client.send(message.channelData, uint32(0), string(key.line));
        client.send(message.channelEof, uint32(0));
      });
      await client.take(message.channelSuccess);
      await client.changes(1000);
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    expect(await client.exitStatus()).toBe(0);
    expect((await server.ssh(['info', 'earliest', '--json'])).stdout).toContain(key.fingerprint);
    client.destroy();
  });
});

describe('a maximum packet size below 1024', () => {
  test('ends the connection, and delays no other client (33, L2)', async () => {
    const other = await login();
    for (const packetSize of [0, 1, 16, 1023]) {
      const client = await login();
      client.send(message.channelOpen, string('session'), uint32(0), uint32(2 ** 21), uint32(packetSize));
      client.send(message.channelRequest, uint32(0), string('exec'), boolean(true), string('help'));
      await client.ends();
    }
    await stillServes(other);
    const least = await login();
    const channel = await least.openSession({ packetSize: 1024 });
    expect(await least.granted(channel, 'exec', string('help'))).toBe(true);
    expect(await least.exitStatus()).toBe(0);
    for (const packet of least.received.filter(([type]) => type === message.channelData))
      expect(packet.length).toBeLessThanOrEqual(1024 + 9);
    least.destroy();
  });
});

describe('a command over a half-closed connection (43)', () => {
  test.each<[string, readonly string[], { stdin?: string; tty?: boolean; options?: readonly string[] }, number]>([
    ['-n', ['list', '--json'], { options: ['-n'] }, 0],
    ['input from /dev/null', ['list', '--json'], {}, 0],
    ['no terminal', ['whoami'], { options: ['-T'], stdin: '' }, 0],
    ['-T without a command', [], { options: ['-T'], stdin: '' }, 0],
    ['a script for -T, which nobody reads', [], { options: ['-T'], stdin: 'list\n' }, 2],
    ['a terminal for a pipe, with a command', ['whoami'], { tty: true, stdin: '' }, 0],
    ['a terminal for a pipe that ends the shell', [], { tty: true, stdin: 'exit\r' }, 0],
    ['a terminal for a pipe that ends', [], { tty: true, stdin: '' }, 0],
    ['a failure', ['info', 'nobody-here'], { options: ['-n'] }, 3],
  ])('returns its exit code with %s', async (_, words, options, code) => {
    const done: Finished = await server.ssh(words, options);
    expect(done.code, done.stderr).toBe(code);
  });
});

describe('the server refuses (49)', () => {
  async function ssh(
    options: readonly string[],
    words: readonly string[] = ['whoami'],
  ): Promise<{ code: number; stderr: string; stdout: string }> {
    const { exitCode, stderr, stdout } = await execa(
      'ssh',
      [...server.sshArguments({ options: ['-o', 'LogLevel=VERBOSE', ...options] }), ...words],
      { reject: false, stdin: 'ignore', timeout: 30_000 },
    );
    return { code: exitCode ?? -1, stderr, stdout };
  }

  async function listening(): Promise<{ target: Server; port: number; reached: () => number }> {
    let reached = 0;
    const target = createServer((socket) => {
      reached++;
      socket.destroy();
    });
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
    const address = target.address();
    return { target, port: typeof address === 'object' && address !== null ? address.port : 0, reached: () => reached };
  }

  test('forwarding to a port with -W', async () => {
    const { target, port, reached } = await listening();
    const { code, stderr } = await ssh(['-W', `127.0.0.1:${port}`], []);
    expect(code).toBe(255);
    expect(stderr).toMatch(/administratively prohibited/);
    expect(reached()).toBe(0);
    target.close();
  });

  test('forwarding to another host with -J', async () => {
    const jump = [`ProxyCommand=ssh ${server.sshArguments().slice(0, -1).join(' ')} -W %h:%p manage@127.0.0.1`];
    const { exitCode, stderr } = await execa(
      'ssh',
      [
        '-F',
        'none',
        '-o',
        jump[0] ?? '',
        '-o',
        'BatchMode=yes',
        '-o',
        'StrictHostKeyChecking=no',
        '-o',
        'UserKnownHostsFile=/dev/null',
        '-p',
        String(server.port),
        '-i',
        server.adminKey,
        'manage@127.0.0.1',
        'whoami',
      ],
      { reject: false, stdin: 'ignore', timeout: 30_000 },
    );
    expect(exitCode).toBe(255);
    expect(stderr).toMatch(/administratively prohibited|stdio forwarding failed/);
  });

  test.each([
    ['a port of the server (-R)', ['-R', '0:127.0.0.1:22']],
    ['a dynamic port of the server (-R)', ['-R', '0']],
    ['a socket file of the server (-R)', ['-R', '/tmp/containarium-test-forward.sock:127.0.0.1:22']],
  ])('forwarding from %s', async (_, options) => {
    const { code, stderr } = await ssh(['-o', 'ExitOnForwardFailure=yes', ...options], ['-N']);
    expect(code).toBe(255);
    expect(stderr).toMatch(
      /forwarding failed|forward(ing)? request failed|remote port forwarding failed|Remote .* failed/i,
    );
  });

  test('forwarding from a port, a dynamic port and a socket file of the client (-L, -D) when they are used', async () => {
    const client = await login();
    const from = [string('127.0.0.1'), uint32(1)];
    const kinds: [string, ...Buffer[]][] = [
      ['direct-tcpip', string('127.0.0.1'), uint32(22), ...from],
      ['direct-tcpip', string('10.0.0.1'), uint32(22), ...from],
      ['direct-streamlocal@openssh.com', string('/run/containarium/core.sock'), string(''), uint32(0)],
      ['direct-streamlocal@openssh.com', string(join(server.home, 'core.sock')), string(''), uint32(0)],
      ['forwarded-tcpip', string('127.0.0.1'), uint32(22), ...from],
      ['x11', string('127.0.0.1'), uint32(6000)],
      ['auth-agent@openssh.com'],
      ['tun@openssh.com', uint32(1), uint32(0x7fffffff)],
    ];
    for (const [kind, ...fields] of kinds) {
      client.send(message.channelOpen, string(kind), uint32(50), uint32(2 ** 21), uint32(32_768), ...fields);
      expect((await client.take(message.channelOpenFailure, message.channelOpenConfirmation))[0], kind).toBe(
        message.channelOpenFailure,
      );
    }
    for (const name of [
      'tcpip-forward',
      'cancel-tcpip-forward',
      'streamlocal-forward@openssh.com',
      'cancel-streamlocal-forward@openssh.com',
    ]) {
      client.send(
        message.globalRequest,
        string(name),
        boolean(true),
        string(name.includes('local') ? '/tmp/x.sock' : '127.0.0.1'),
        uint32(0),
      );
      expect((await client.take(message.requestFailure, message.requestSuccess))[0], name).toBe(message.requestFailure);
    }
    await stillServes(client);
  });

  test('a tunnel (-w)', async () => {
    const { code, stderr } = await ssh(['-o', 'ExitOnForwardFailure=yes', '-w', 'any'], ['-N']);
    expect(code).toBe(255);
    expect(stderr).not.toMatch(/Allocated/);
  });

  test('an agent (-A) and X11 (-X), but runs the command', async () => {
    const { code, stdout } = await ssh(['-A', '-X', '-o', 'ForwardX11Timeout=10']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Role/);
    const client = await login();
    const channel = await client.openSession();
    expect(await client.granted(channel, 'auth-agent-req@openssh.com')).toBe(false);
    expect(
      await client.granted(channel, 'x11-req', boolean(false), string('MIT-MAGIC-COOKIE-1'), string('00'), uint32(0)),
    ).toBe(false);
    client.destroy();
  });

  test.each(['sftp', 'netconf', 'scp', '', '../../x'])('the subsystem %j (-s)', async (name) => {
    const client = await login();
    const channel = await client.openSession();
    expect(await client.granted(channel, 'subsystem', string(name))).toBe(false);
    await stillServes(client);
  });

  test('the clients sftp and scp', async () => {
    const options = server
      .sshArguments()
      .slice(0, -1)
      .map((word) => (word === '-p' ? '-P' : word));
    const sftp = await execa('sftp', [...options, 'manage@127.0.0.1:/etc/passwd', folder], {
      reject: false,
      stdin: 'ignore',
      timeout: 30_000,
    });
    expect(sftp.exitCode).not.toBe(0);
    const scp = await execa('scp', ['-O', ...options, 'manage@127.0.0.1:/etc/passwd', folder], {
      reject: false,
      stdin: 'ignore',
      timeout: 30_000,
    });
    expect(scp.exitCode).not.toBe(0);
  });
});

describe('unsupported requests (49)', () => {
  interface Asked {
    readonly type: string;
    readonly count: number;
    readonly asked: Readonly<Record<string, number>>;
    readonly top: readonly object[];
  }
  let audited: TestServer;

  beforeAll(async () => {
    audited = await startServer();
  });

  async function records(): Promise<Asked[]> {
    const { stdout } = await audited.local(['audit', 'export', '--limit', '1000']);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Asked)
      .filter(({ type }) => type === 'unsupported-requests');
  }

  const journalBytes = (): Promise<number> => bytesBelow(join(audited.home, 'state', 'journal'));

  /** Restarts the server, because pending reports are recorded when it stops. */
  async function recorded(): Promise<Asked[]> {
    await audited.stop();
    await audited.restart();
    return records();
  }

  test('of the stock client are recorded with the person who made them', async () => {
    const local = await freePort();
    // The client requests local forwarding only when a program connects.
    const forwarding = execa(
      'ssh',
      [
        ...audited.sshArguments({
          options: [
            '-N',
            '-L',
            `${local}:127.0.0.1:22`,
            '-L',
            `${join(folder, 'sock')}:/run/containarium/core.sock`,
            '-R',
            '0:127.0.0.1:22',
            '-R',
            '/tmp/containarium-test-forward.sock:127.0.0.1:22',
          ],
        }),
      ],
      { reject: false, stdin: 'ignore' },
    );
    for (const where of [{ port: local, host: '127.0.0.1' }, { path: join(folder, 'sock') }]) {
      await eventually(
        async () => {
          const socket = connect(where);
          const isConnected = await once(socket, 'connect').then(
            () => true,
            () => false,
          );
          if (isConnected) await once(socket.resume(), 'close');
          return isConnected ? true : undefined;
        },
        `${JSON.stringify(where)} is forwarded by the client`,
      );
    }
    forwarding.kill();
    await forwarding;
    await audited.ssh([], { options: ['-N', '-o', 'ExitOnForwardFailure=yes', '-w', 'any'] });
    await audited.ssh(['sftp'], { options: ['-s'] });
    const found = await recorded();
    const sums = new Map<string, number>();
    for (const { asked } of found)
      for (const [kind, count] of Object.entries(asked)) sums.set(kind, (sums.get(kind) ?? 0) + count);
    expect(Object.fromEntries(sums)).toMatchObject({
      'tcp-local': 1,
      'socket-local': 1,
      'tcp-remote': 1,
      'socket-remote': 1,
      subsystem: 1,
    });
    expect(found[0]).toMatchObject({ top: [{ name: 'tester', entryPoint: 'manage', address: '127.0.0.1' }] });
    expect((await audited.ssh(['audit'])).stdout).toMatch(
      / unsupported-requests .*refused \d+ times? \(.*tcp-local.*\): tester \d/,
    );
  });

  test('by the thousand add less than 16 KiB to the journal, and all of them are counted', async () => {
    const before = { bytes: await journalBytes(), count: (await records()).length };
    const key = await adminOf(audited);
    const kinds: [string, ...Buffer[]][] = [
      ['direct-tcpip', string('127.0.0.1'), uint32(22), string('127.0.0.1'), uint32(1)],
      ['tun@openssh.com', uint32(1), uint32(0x7fffffff)],
      ['x11', string('127.0.0.1'), uint32(6000)],
      ['__proto__'],
    ];
    const clients = await Promise.all(
      Array.from({ length: 4 }, () => RawClient.login(audited.port, key, 'manage', anySource())),
    );
    for (const client of clients) {
      const channel = await client.openSession();
      for (let i = 0; i < 250; i++) {
        for (const [kind, ...fields] of kinds)
          client.send(message.channelOpen, string(kind), uint32(50), uint32(2 ** 21), uint32(32_768), ...fields);
        client.send(message.globalRequest, string('tcpip-forward'), boolean(false), string('127.0.0.1'), uint32(0));
        client.send(message.channelRequest, uint32(channel), string('auth-agent-req@openssh.com'), boolean(false));
        if (i % 50 === 49) await client.granted(channel, 'env', string('LANG'), string('C'));
      }
      await client.granted(channel, 'env', string('LANG'), string('C'));
    }
    for (const client of clients) client.destroy();
    const found = (await recorded()).slice(before.count);
    expect(found.length).toBeLessThanOrEqual(3);
    for (const kind of ['tcp-local', 'tunnel', 'x11', 'channel', 'tcp-remote', 'agent'])
      expect(
        found.reduce((sum, { asked }) => sum + (asked[kind] ?? 0), 0),
        kind,
      ).toBe(1000);
    // This includes the records of the logins and of the restart.
    expect((await journalBytes()) - before.bytes).toBeLessThan(16_384);
  });
});
