/**
 * Hostile clients. ssh2 alone fails under these attacks (the L numbers are those of its known limitations); the server
 * must not. After each attack the server still serves an admin.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { adminOf, frontOf } from '../support/front.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { boolean, message, RawClient, string, stringAt, uint32 } from '../support/rawClient.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';

let server: TestServer;
let admin: TestKey;
let frontPid: number;

/** Resident memory of the front in bytes (proc(5), VmRSS). */
async function memory(): Promise<number> {
  return Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${frontPid}/status`, 'utf8'))?.[1]) * 1024;
}

beforeAll(async () => {
  server = await startServer({ config: { ssh: { loginGraceMs: 2000, maxAuthTries: 4 } } });
  admin = await adminOf(server);
  frontPid = await frontOf(server);
});

afterEach(async () => {
  // The front neither died nor was replaced.
  expect(await frontOf(server)).toBe(frontPid);
  const honest = await server.ssh(['whoami', '--json']);
  expect(honest.code, honest.stderr).toBe(0);
});

describe('before authentication the server', () => {
  it('ignores messages that only a server sends (L1)', async () => {
    const client = await RawClient.connect(server.port);
    await client.requestAuthentication();
    client.together(() => {
      client.send(
        message.userauthRequest,
        string('manage'),
        string('ssh-connection'),
        string('password'),
        boolean(false),
        string('x'),
      );
      for (const type of [
        message.userauthFailure,
        message.userauthSuccess,
        message.userauthBanner,
        message.userauthPkOk,
      ])
        client.send(type, string('publickey'), boolean(false));
      client.send(message.userauthRequest, string('manage'), string('ssh-connection'), string('none'));
    });
    expect((await client.take(message.userauthFailure))[0]).toBe(message.userauthFailure);
    // The client is not logged in because it sent USERAUTH_SUCCESS.
    client.send(message.channelOpen, string('session'), uint32(0), uint32(1000), uint32(32_768));
    client.send(message.userauthRequest, string('manage'), string('ssh-connection'), string('none'));
    await eventually(
      () => (client.closed || client.received.some(([type]) => type === message.userauthFailure) ? true : undefined),
      'an answer',
    );
    expect(client.received.some(([type]) => type === message.channelOpenConfirmation)).toBe(false);
    client.destroy();
  });

  it('closes silent connections, and connections that do not log in, after the grace period (L6)', async () => {
    const silent = Array.from({ length: 50 }, () => connect(server.port, '127.0.0.1'));
    const closed = silent.map((socket) => once(socket.on('error', () => undefined).resume(), 'close'));
    const halfway = await RawClient.connect(server.port);
    await Promise.all(closed);
    await halfway.ends();
  });

  it('ends a connection after too many login attempts (L7)', async () => {
    const client = await RawClient.connect(server.port);
    await client.requestAuthentication();
    let tries = 0;
    await expect(
      (async () => {
        for (; tries < 100; tries++)
          await client.tryLogin('manage', 'password', boolean(false), string(`guess ${tries}`));
      })(),
    ).rejects.toThrow(/closed/);
    expect(tries).toBeLessThanOrEqual(4);
  });

  it('offers only the listed algorithms, without compression, finite-field groups or SHA-1, and does not name its library (L8, L24, L25, L30)', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write('SSH-2.0-test\r\n');
    let data = Buffer.alloc(0);
    // The identification line, then the server's KEXINIT in the clear (RFC 4253, sections 4.2 and 7.1).
    const offered = await new Promise<string>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        data = Buffer.concat([data, chunk]);
        const start = data.indexOf('\r\n') + 2;
        if (start > 1 && data.length >= start + 4 && data.length >= start + 4 + data.readUInt32BE(start))
          resolve(data.subarray(start).toString('latin1'));
      });
    });
    socket.destroy();
    expect(data.toString('latin1')).toMatch(/^SSH-2\.0-containarium\r\n/);
    // Ten name lists follow the length, the padding length, the message number and the cookie.
    let rest = Buffer.from(offered, 'latin1').subarray(22);
    const [kex, hostKey, ...both] = Array.from({ length: 10 }, () => {
      const names = stringAt(rest, 0).toString();
      rest = rest.subarray(4 + names.length);
      return names.split(',');
    });
    const ciphers = ['chacha20-poly1305@openssh.com', 'aes256-gcm@openssh.com', 'aes128-gcm@openssh.com'];
    const macs = ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'];
    expect(kex).toEqual([
      'mlkem768x25519-sha256',
      'curve25519-sha256',
      'curve25519-sha256@libssh.org',
      'kex-strict-s-v00@openssh.com',
    ]);
    expect(hostKey).toEqual(['ssh-ed25519']);
    expect(both).toEqual([ciphers, ciphers, macs, macs, ['none'], ['none'], [''], ['']]);
  });

  it('survives user names of any length, other protocols, and a connection reset (L8, L22)', async () => {
    const client = await RawClient.connect(server.port);
    await client.requestAuthentication();
    expect(await client.tryLogin('x'.repeat(1000), 'none')).toBe(message.userauthFailure);
    client.destroy();
    for (const first of [
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      '\u0016\u0003\u0001',
      'SSH-1.5-old\r\n',
      `SSH-2.0-${'x'.repeat(9000)}`,
    ]) {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      socket.write(first);
      await once(socket, 'close');
    }
    for (let i = 0; i < 20; i++) {
      const hasty = await RawClient.connect(server.port);
      hasty.send(message.serviceRequest, string('ssh-userauth'));
      hasty.socket.resetAndDestroy();
    }
  });

  it('survives offers of arbitrary bytes as a key, and rejects each of them (L29)', async () => {
    const garbage = [
      '',
      'x',
      '-----BEGIN RSA PRIVATE KEY-----\n'.repeat(900),
      '\u0000'.repeat(30_000),
      `ssh-ed25519 ${'A'.repeat(20_000)}`,
    ];
    for (const blob of garbage) {
      const client = await RawClient.connect(server.port);
      await client.requestAuthentication();
      expect(await client.tryKey('manage', 'ssh-ed25519', Buffer.from(blob))).toBe(message.userauthFailure);
      expect(await client.tryKey('manage', 'ssh-ed25519', Buffer.from(blob), () => Buffer.from('x'.repeat(100)))).toBe(
        message.userauthFailure,
      );
      client.destroy();
    }
  });
});

describe('after authentication the server', () => {
  it.each([0, 1, 1023])('refuses channels with a packet size of %d (L2)', async (packetSize) => {
    const client = await RawClient.login(server.port, admin);
    client.send(message.channelOpen, string('session'), uint32(0), uint32(1_000_000), uint32(packetSize));
    await client.ends();
  });

  it('refuses a flood on standard input while the flood lasts', async () => {
    const client = await RawClient.login(server.port, admin);
    const channel = await client.openSession();
    expect(await client.granted(channel, 'exec', string('create flood --json'))).toBe(true);
    const chunk = Buffer.alloc(30_000, 0x61);
    // The loop ends only with the answer.
    while (!client.received.some(([type]) => type === message.channelClose)) {
      client.send(message.channelData, uint32(channel), string(chunk));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.exitStatus()).toBe(2);
    expect(JSON.parse(client.output())).toMatchObject({ ok: false, error: { code: 'input-too-large' } });
    client.destroy();
  });

  it('reads standard input that comes with the command in one segment (L5)', async () => {
    const key = await makeKey(await temporaryFolder(), 'early');
    const client = await RawClient.login(server.port, admin);
    const channel = await client.openSession();
    client.together(() => {
      client.request(channel, 'exec', string('create early --json'));
      client.send(message.channelData, uint32(channel), string(key.line));
      client.send(message.channelEof, uint32(channel));
    });
    expect(await client.exitStatus()).toBe(0);
    expect(JSON.parse(client.output())).toMatchObject({ ok: true, result: { container: { user: 'early' } } });
    client.destroy();
  });

  it('closes each session that never ran a command (L15), and keeps at most ten open (L16)', async () => {
    const client = await RawClient.login(server.port, admin);
    for (let i = 0; i < 100; i++) {
      const channel = await client.openSession({ id: i });
      client.send(message.channelClose, uint32(channel));
      await client.take(message.channelClose);
    }
    for (let i = 0; i < 10; i++) await client.openSession({ id: 5000 + i });
    await expect(client.openSession({ id: 6000 })).rejects.toThrow(/refused/);
    client.destroy();
  });

  it.each([
    [0, 0],
    [1, 1],
    [0xffffffff, 0xffffffff],
  ])('accepts a terminal of %d x %d and uses a sane size (L18)', async (columns, rows) => {
    const client = await RawClient.login(server.port, admin);
    const channel = await client.openSession();
    const size = [uint32(columns), uint32(rows), uint32(0), uint32(0)];
    expect(await client.granted(channel, 'pty-req', string('x'.repeat(30_000)), ...size, string(''))).toBe(true);
    expect(await client.granted(channel, 'exec', string('whoami'))).toBe(true);
    client.request(channel, 'window-change', ...size);
    expect(await client.exitStatus()).toBe(0);
    expect(client.output()).toMatch(/admin\r\n/);
    client.destroy();
  });

  it('runs only the first command of a session (L20)', async () => {
    const client = await RawClient.login(server.port, admin);
    const channel = await client.openSession();
    client.together(() => {
      client.request(channel, 'exec', string('whoami'));
      client.request(channel, 'exec', string('version'));
      client.request(channel, 'shell');
    });
    expect(await client.exitStatus()).toBe(0);
    expect(client.output()).toMatch(/Role/);
    expect(client.output()).not.toMatch(/Node\.js/);
    client.destroy();
  });

  it('refuses forwarding, subsystems, agents, X11 and unknown environment variables', async () => {
    const client = await RawClient.login(server.port, admin);
    client.send(
      message.channelOpen,
      string('direct-tcpip'),
      uint32(90),
      uint32(1000),
      uint32(32_768),
      string('127.0.0.1'),
      uint32(22),
      string('x'),
      uint32(1),
    );
    expect((await client.take(message.channelOpenFailure, message.channelOpenConfirmation))[0]).toBe(
      message.channelOpenFailure,
    );
    client.send(message.globalRequest, string('tcpip-forward'), boolean(true), string(''), uint32(0));
    expect((await client.take(message.requestSuccess, message.requestFailure))[0]).toBe(message.requestFailure);
    const channel = await client.openSession({ id: 91 });
    expect(await client.granted(channel, 'subsystem', string('sftp'))).toBe(false);
    expect(await client.granted(channel, 'auth-agent-req@openssh.com')).toBe(false);
    expect(await client.granted(channel, 'x11-req', boolean(false), string('x'), string('x'), uint32(0))).toBe(false);
    expect(await client.granted(channel, 'env', string('LD_PRELOAD'), string('/tmp/x.so'))).toBe(false);
    expect(await client.granted(channel, 'env', string('LANG'), string('C.UTF-8'))).toBe(true);
    client.destroy();
  });

  it('buffers less than 60 MiB for a client that stops reading', async () => {
    const client = await RawClient.login(server.port, admin);
    const before = await memory();
    client.socket.pause();
    // The client reads none of the answers.
    for (let id = 0; id < 9; id++)
      client.send(message.channelOpen, string('session'), uint32(id), uint32(0xffffffff), uint32(32_768));
    for (let id = 0; id < 9; id++) client.request(id, 'exec', string('help --json'));
    const honest = await server.ssh(['help', '--json']);
    expect(honest.code).toBe(0);
    expect((await memory()) - before).toBeLessThan(60 * 2 ** 20);
    client.destroy();
  });

  it('finishes a create whose client has disconnected', async () => {
    const key = await makeKey(await temporaryFolder(), 'gone');
    const client = await RawClient.login(server.port, admin);
    const channel = await client.openSession();
    client.together(() => {
      client.request(channel, 'exec', string('create gone'));
      client.send(message.channelData, uint32(channel), string(key.line));
      client.send(message.channelEof, uint32(channel));
    });
    await client.take(message.channelSuccess);
    // The first progress line shows that the create has begun.
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
    client.destroy();
    await eventually(
      async () =>
        (await server.ssh(['list', '--user', 'gone', '--json'])).stdout.includes('"ready"') ? true : undefined,
      'the container is ready',
    );
    expect((await server.ssh(['reconcile'])).code).toBe(0);
  });
});
