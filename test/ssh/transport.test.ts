/** The offers and refusals of the transport, as reported by ssh-audit and packet by packet. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sshAudit } from '../support/downloads.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { kexMessage, PlainClient } from '../support/plainClient.ts';
import { message, RawClient, string, stringAt } from '../support/rawClient.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';

let server: TestServer;
let strict: TestServer;
let admin: TestKey;
const clients: PlainClient[] = [];

beforeAll(async () => {
  [server, strict] = await Promise.all([
    startServer(),
    startServer({ config: { ssh: { keyExchange: 'post-quantum' } } }),
  ]);
  admin = await makeKey(await temporaryFolder(), 'admin');
  expect((await server.ssh(['admin', 'add', 'second'], { stdin: admin.line })).code).toBe(0);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  const honest = await server.ssh(['whoami', '--json']);
  expect(honest.code, honest.stderr).toBe(0);
});

async function plain(): Promise<PlainClient> {
  const client = await PlainClient.connect(server.port);
  clients.push(client);
  return client;
}

interface Report {
  readonly banner: { readonly raw: string };
  readonly compression: readonly string[];
  readonly cves: readonly unknown[];
  readonly recommendations: object;
  readonly [list: string]: unknown;
}

interface Listed {
  readonly algorithm: string;
  readonly notes: Readonly<Record<string, readonly string[]>>;
}

/** Returns the findings of a report above the level of information, as `kex curve25519-sha256 warn: …`. */
function findings(report: Report): string[] {
  return ['kex', 'key', 'enc', 'mac'].flatMap((list) =>
    (report[list] as Listed[]).flatMap(({ algorithm, notes }) =>
      Object.entries(notes)
        .filter(([level]) => level !== 'info')
        .flatMap(([level, texts]) => texts.map((text) => `${list} ${algorithm} ${level}: ${text}`)),
    ),
  );
}

async function audit(port: number, ...options: readonly string[]): Promise<{ report: Report; code: number }> {
  const { stdout, code } = await sshAudit([
    '--json',
    '--skip-rate-test',
    ...options,
    '--port',
    String(port),
    '127.0.0.1',
  ]);
  return { report: JSON.parse(stdout) as Report, code };
}

/** Returns a policy for ssh-audit that allows exactly these algorithms in this order. */
function policy(kex: readonly string[]): string {
  return [
    'name = "containarium"',
    'version = 1',
    'allow_algorithm_subset_and_reordering = false',
    'allow_larger_keys = false',
    'banner = "SSH-2.0-containarium"',
    'compressions = none',
    'host keys = ssh-ed25519',
    `key exchanges = ${[...kex, 'kex-strict-s-v00@openssh.com'].join(', ')}`,
    'ciphers = chacha20-poly1305@openssh.com, aes256-gcm@openssh.com, aes128-gcm@openssh.com',
    'macs = hmac-sha2-256-etm@openssh.com, hmac-sha2-512-etm@openssh.com',
    '',
  ].join('\n');
}

describe('ssh-audit', () => {
  it('finds nothing if only the post-quantum key exchange is offered', async () => {
    const { report, code } = await audit(strict.port);
    expect(findings(report)).toEqual([]);
    expect(report).toMatchObject({ compression: ['none'], cves: [], recommendations: {} });
    expect(code).toBe(0);
  });

  it('warns only of the classical fallback by default', async () => {
    const { report, code } = await audit(server.port);
    expect(findings(report)).toEqual([
      'kex curve25519-sha256 warn: does not provide protection against post-quantum attacks',
      'kex curve25519-sha256@libssh.org warn: does not provide protection against post-quantum attacks',
    ]);
    expect(report).toMatchObject({ compression: ['none'], cves: [], recommendations: {} });
    // 2: warnings, no failures (ssh-audit's README).
    expect(code).toBe(2);
  });

  it('accepts both configurations with a policy of their exact algorithms', async () => {
    const path = join(await temporaryFolder(), 'policy');
    const check = async (port: number, kex: readonly string[]): Promise<number> => {
      await writeFile(path, policy(kex));
      return (await sshAudit(['--policy', path, '--port', String(port), '127.0.0.1'])).code;
    };
    const all = ['mlkem768x25519-sha256', 'curve25519-sha256', 'curve25519-sha256@libssh.org'];
    expect(await check(server.port, all)).toBe(0);
    expect(await check(strict.port, all.slice(0, 1))).toBe(0);
    expect(await check(strict.port, all)).not.toBe(0);
  });
});

describe('a server with only the post-quantum key exchange', () => {
  it('refuses clients without it', async () => {
    const { code, stderr } = await strict.ssh(['whoami'], {
      options: ['-o', 'KexAlgorithms=curve25519-sha256', '-o', 'LogLevel=DEBUG'],
    });
    expect(code).toBe(255);
    expect(stderr).toMatch(/no matching key exchange method/);
  });
});

describe('strict key exchange (CVE-2023-48795)', () => {
  it.each([
    ['IGNORE', kexMessage.ignore],
    ['DEBUG', kexMessage.debug],
  ])('ends the connection at an %s between KEXINIT and NEWKEYS', async (_name, type) => {
    const client = await plain();
    client.hello();
    client.propose({ kex: ['curve25519-sha256', 'kex-strict-c-v00@openssh.com'] });
    client.send(type, string('inserted'));
    client.send(kexMessage.exchangeInit, string(PlainClient.x25519()));
    await client.ends();
    expect(client.has(kexMessage.exchangeReply)).toBe(false);
  });

  it('ends the connection if KEXINIT is not the first packet', async () => {
    const client = await plain();
    client.hello();
    client.send(kexMessage.ignore, string('first'));
    client.propose({ kex: ['curve25519-sha256', 'kex-strict-c-v00@openssh.com'] });
    client.send(kexMessage.exchangeInit, string(PlainClient.x25519()));
    await client.ends();
    expect(client.has(kexMessage.exchangeReply)).toBe(false);
  });

  it('is not required from clients that do not offer it', async () => {
    const client = await plain();
    client.hello();
    client.propose({ kex: ['curve25519-sha256'] });
    client.send(kexMessage.ignore, string('harmless'));
    client.send(kexMessage.exchangeInit, string(PlainClient.x25519()));
    await client.take(kexMessage.exchangeReply);
  });
});

describe('mlkem768x25519-sha256', () => {
  it('gives both sides the same secret, signed by the host key', async () => {
    const client = await plain();
    expect(await client.exchangeMlKem()).toBe(true);
  });
});

describe('the identification string (L21)', () => {
  it('may arrive byte by byte', async () => {
    const client = await plain();
    for (const byte of `${client.ident}\r\n`) {
      client.write(byte);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await client.take(kexMessage.kexInit);
  });

  it.each([
    ['if it is longer than 255 bytes', `SSH-2.0-${'x'.repeat(248)}\r\n`],
    ['if it is endless', `SSH-2.0-${'x'.repeat(100_000)}`],
    ['if it has control characters', 'SSH-2.0-\x1b[2J\x1b]0;owned\x07\r\n'],
    ['if it has a NUL character', 'SSH-2.0-x\0\r\n'],
  ])('is refused %s, and not logged', async (_what, ident) => {
    const client = await plain();
    client.write(Buffer.from(ident, 'latin1'));
    await client.ends();
    expect(client.has(kexMessage.kexInit)).toBe(false);
    expect(server.log()).not.toMatch(/\x1b|\0|xxxxxxxx|owned/);
  });
});

describe('a client', () => {
  it('gets the list of accepted signature algorithms (L14)', async () => {
    const client = await RawClient.connect(server.port);
    const packet = await client.take(7);
    expect(stringAt(packet, 5).toString()).toBe('server-sig-algs');
    const told = stringAt(packet, 24).toString().split(',');
    expect(told).toEqual(
      expect.arrayContaining([
        'ssh-ed25519',
        'rsa-sha2-512',
        'rsa-sha2-256',
        'ecdsa-sha2-nistp521',
        'sk-ssh-ed25519@openssh.com',
      ]),
    );
    expect(told).not.toContain('ssh-rsa');
    expect(told).not.toContain('ssh-dss');
    client.destroy();
  });

  it('gets UNIMPLEMENTED for an unknown message (L27)', async () => {
    const client = await RawClient.login(server.port, admin);
    client.received.length = 0;
    client.send(192, string('what is this'));
    await client.take(3);
    client.destroy();
  });

  it('may send terminal modes of any value (L17)', async () => {
    const client = await RawClient.login(server.port, admin);
    const channel = await client.openSession();
    const modes = Buffer.from([3, 0, 0, 0, 127, 129, 0xff, 0, 0, 1, 0]);
    const sizes = [80, 24, 0, 0].map((value) => Buffer.from([0, 0, 0, value]));
    expect(await client.granted(channel, 'pty-req', string('xterm'), ...sizes, string(modes))).toBe(true);
    expect(await client.granted(channel, 'exec', string('whoami'))).toBe(true);
    expect(await client.exitStatus()).toBe(0);
    client.destroy();
  });

  it('gets an answer to every request that wants a reply, also while a command runs (L19, L20)', async () => {
    const client = await RawClient.login(server.port, admin);
    const channel = await client.openSession();
    const sizes = [80, 24, 0, 0].map((value) => Buffer.from([0, 0, 0, value]));
    // The command waits for standard input.
    expect(await client.granted(channel, 'exec', string('create alice'))).toBe(true);
    expect(await client.granted(channel, 'window-change', ...sizes)).toBe(true);
    expect(await client.granted(channel, 'env', string('LANG'), string('C.UTF-8'))).toBe(true);
    expect(await client.granted(channel, 'env', string('LD_PRELOAD'), string('x'))).toBe(false);
    expect(await client.granted(channel, 'exec', string('whoami'))).toBe(false);
    expect(await client.granted(channel, 'shell')).toBe(false);
    client.send(message.channelEof, Buffer.from([0, 0, 0, channel]));
    expect(await client.granted(channel, 'exec', string('whoami'))).toBe(false);
    await client.exitStatus();
    client.destroy();
  });

  it('must request a service before it authenticates (L26)', async () => {
    const client = await RawClient.connect(server.port);
    client.send(message.userauthRequest, string('manage'), string('ssh-connection'), string('none'));
    await client.ends();
    expect(client.received.some(([type]) => type === message.userauthFailure)).toBe(false);
  });
});

describe('a key change by the server', () => {
  it('ends the connection of a client that does not answer it in time', async () => {
    const hasty = await startServer({ config: { ssh: { rekeyMs: 1000, loginGraceMs: 2000 } } });
    await hasty.ssh(['admin', 'add', 'second'], { stdin: admin.line });
    const client = await RawClient.login(hasty.port, admin);
    client.ignoreKeyExchanges();
    await client.take(kexMessage.kexInit);
    expect(client.closed).toBe(false);
    await client.ends();
  });

  it('ends the connection of a client that answers with a flood of requests instead', async () => {
    const hasty = await startServer({ config: { ssh: { rekeyMs: 1000 } } });
    await hasty.ssh(['admin', 'add', 'second'], { stdin: admin.line });
    const client = await RawClient.login(hasty.port, admin);
    client.ignoreKeyExchanges();
    await client.take(kexMessage.kexInit);
    for (let n = 0; n < 10_000; n++)
      client.send(message.globalRequest, string('keepalive@openssh.com'), Buffer.from([1]));
    await client.ends();
  });
});
