/**
 * What a client may ask of a session and of the connection, in any order: what is not offered is refused, and what is
 * refused harms nobody.
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

/** Another command over the same connection is served: what was refused has harmed nothing. */
async function stillServes(client: RawClient): Promise<void> {
  client.received.length = 0;
  const channel = await client.openSession({ id: 4242 });
  expect(await client.granted(channel, 'exec', string('whoami --json'))).toBe(true);
  expect(await client.exitStatus()).toBe(0);
  client.destroy();
}

describe('one session', () => {
  test.each([
    ['exec', 'shell'],
    ['exec', 'exec'],
    ['shell', 'exec'],
    ['shell', 'shell'],
    ['exec', 'subsystem'],
  ])('runs one thing: %s, then %s (40)', async (first, second) => {
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
    'that has ended its input takes no %s, and is closed as it should be (40)',
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
    "number %d, which there is not, gets no answer that is another's",
    async (channel) => {
      const client = await login();
      client.request(channel, 'exec', string('whoami'));
      client.send(message.channelData, uint32(channel), string('x'));
      client.send(message.channelClose, uint32(channel));
      // The largest number ends the connection, as a number that no channel can have; the others are passed over.
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
    expect(
      await client.granted(channel, 'pty-req', string(type), uint32(80), uint32(24), uint32(0), uint32(0), string('')),
    ).toBe(true);
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

  test('with a window of any size, changed at any time, goes on (45)', async () => {
    const client = await login();
    const channel = await client.openSession();
    expect(
      await client.granted(
        channel,
        'pty-req',
        string('xterm'),
        uint32(80),
        uint32(24),
        uint32(0),
        uint32(0),
        string(''),
      ),
    ).toBe(true);
    expect(await client.granted(channel, 'shell')).toBe(true);
    await eventually(() => (client.output().includes('›') ? true : undefined), 'a prompt');
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

  test('takes no variable with a control character, and no more than 32 (44)', async () => {
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
    'ends what waits for its input at a %s, and changes nothing (48)',
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
    'passes over the signal %j (48)',
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

  test('that runs a change goes through with it at a signal, or takes it back (48)', async () => {
    const key = await makeKey(folder, 'interrupted');
    const client = await login();
    const channel = await client.openSession();
    expect(await client.granted(channel, 'exec', string('create interrupted --json'))).toBe(true);
    client.send(message.channelData, uint32(channel), string(key.line));
    client.send(message.channelEof, uint32(channel));
    await eventually(
      () =>
        client.received.some(
          (packet) => packet[0] === message.channelExtendedData && stringAt(packet, 9).includes('[1/7]'),
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

describe('a command whose input comes before core answers (41)', () => {
  test.each([
    ['a key', ''],
    ['60 KB', `# ${'x'.repeat(77)}\n`.repeat(750)],
  ])('gets all of it, the channel, the command, %s and the end in one write', async (_, before) => {
    const key = await makeKey(folder, `early-${before.length}`);
    const input = Buffer.from(`${before}${key.line}`);
    const client = await login();
    // Everything that takes time is core's part. It stands still, and the front has to go on alone.
    process.kill(server.pid, 'SIGSTOP');
    try {
      client.together(() => {
        client.send(message.channelOpen, string('session'), uint32(0), uint32(2 ** 21), uint32(32_768));
        // The number that the server will give it.
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

  test('gets all of it when its login is not proved to core yet', async () => {
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

describe('sizes of packets', () => {
  test('that no client asks for end that connection, and delay nobody else (33, L2)', async () => {
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

describe('half of a connection closed (43)', () => {
  test.each<[string, readonly string[], { stdin?: string; tty?: boolean; options?: readonly string[] }, number]>([
    ['-n', ['list', '--json'], { options: ['-n'] }, 0],
    ['input from /dev/null', ['list', '--json'], {}, 0],
    ['no terminal', ['whoami'], { options: ['-T'], stdin: '' }, 0],
    ['-T without a command', [], { options: ['-T'], stdin: '' }, 0],
    ['a terminal for a pipe, with a command', ['whoami'], { tty: true, stdin: '' }, 0],
    ['a terminal for a pipe that ends the shell', [], { tty: true, stdin: 'exit\r' }, 0],
    ['a terminal for a pipe that ends', [], { tty: true, stdin: '' }, 0],
    ['a command that fails', ['info', 'nobody-here'], { options: ['-n'] }, 3],
  ])('%s: an answer and its code', async (_, words, options, code) => {
    const done: Finished = await server.ssh(words, options);
    expect(done.code, done.stderr).toBe(code);
  });
});

describe('forwarding of every kind is refused (49)', () => {
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

  test('to a port, with -W', async () => {
    const { target, port, reached } = await listening();
    const { code, stderr } = await ssh(['-W', `127.0.0.1:${port}`], []);
    expect(code).toBe(255);
    expect(stderr).toMatch(/administratively prohibited/);
    expect(reached()).toBe(0);
    target.close();
  });

  test('to the server itself, or another, with -J', async () => {
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
    ['a port here (-R)', ['-R', '0:127.0.0.1:22']],
    ['a dynamic port here (-R)', ['-R', '0']],
    ['a socket file here (-R)', ['-R', '/tmp/containarium-test-forward.sock:127.0.0.1:22']],
  ])('%s', async (_, options) => {
    const { code, stderr } = await ssh(['-o', 'ExitOnForwardFailure=yes', ...options], ['-N']);
    expect(code).toBe(255);
    expect(stderr).toMatch(
      /forwarding failed|forward(ing)? request failed|remote port forwarding failed|Remote .* failed/i,
    );
  });

  test('a local port, a dynamic one and a socket file (-L, -D), when they are used', async () => {
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

  test('an agent (-A) and X11 (-X): the command runs without', async () => {
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

  test('sftp and scp with their own clients', async () => {
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

describe('what is asked for and not offered is in the journal (49)', () => {
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

  /** What is not told yet is recorded when the server stops. */
  async function recorded(): Promise<Asked[]> {
    await audited.stop();
    await audited.restart();
    return records();
  }

  test('whatever the stock client is told to forward, with who asked', async () => {
    const local = await freePort();
    // The local ones are asked for when somebody connects.
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

  test('a flood of it in a few hundred bytes, with all of it counted', async () => {
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
    // Logins and the restart have records of their own.
    expect((await journalBytes()) - before.bytes).toBeLessThan(16_384);
  });
});
