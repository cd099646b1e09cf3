/**
 * Reverses each patch of src/front/patches alone, on a copy of ssh2: the defect exists without the patch, and not with
 * it. If "is needed" fails after an update of ssh2, the patch has become unnecessary.
 */
import { KeyObject } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type ssh2 from 'ssh2';
import type { AuthContext, Connection, ServerChannel, Session } from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeHostKey } from '../../src/host/hostKey.ts';
import { requirePatches } from '../../src/front/transport/requirePatches.ts';
import { copyOfSsh2, moduleOf, patchNames } from '../support/patchedSsh2.ts';
import { kexMessage, PlainClient } from '../support/plainClient.ts';
import { boolean, message, RawClient, string, stringAt, uint32 } from '../support/rawClient.ts';
import { cipherPair } from '../support/ssh2Ciphers.ts';
import { eventually, repository } from '../support/server.ts';

type Library = typeof ssh2;
type ServerOptions = ConstructorParameters<Library['Server']>[0] & { serverSigAlgs?: readonly string[] };

const modules = join(repository, 'node_modules');
const hostKey = makeHostKey('test').privateKey;
let folder: string;
const closing: (() => void)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-patches-'));
});
afterEach(() => {
  for (const close of closing.splice(0)) close();
});
afterAll(() => rm(folder, { recursive: true }));

interface TestLibrary {
  readonly path: string;
  readonly ssh2: Library;
}

async function library(without?: string): Promise<TestLibrary> {
  const path = await copyOfSsh2(folder, without);
  return { path, ssh2: moduleOf(path) as Library };
}

/** Starts a server of the library. Resolves to its port. */
async function serve(
  { ssh2: lib }: TestLibrary,
  options: Partial<ServerOptions>,
  onConnection: (connection: Connection) => void = () => undefined,
): Promise<number> {
  const config: ServerOptions = { hostKeys: [hostKey], ...options };
  const server = new lib.Server(config, (connection) => {
    connection.on('error', () => undefined);
    onConnection(connection);
  });
  server.on('error' as never, () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return (server.address() as { port: number }).port;
}

/** Accepts every login, and passes on its first session. */
function letIn(onSession: (session: Session) => void): (connection: Connection) => void {
  return (connection) => {
    connection.on('authentication', (context) => context.accept());
    connection.on('session', (accept) => onSession(accept()));
  };
}

async function login(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  closing.push(() => client.destroy());
  await client.requestAuthentication();
  expect(await client.tryLogin('any', 'none')).toBe(message.userauthSuccess);
  return client;
}

/** Resolves when the server has handled all earlier packets. */
async function roundTrip(client: RawClient): Promise<void> {
  client.send(message.globalRequest, string('nothing@example.com'), boolean(true));
  await client.take(message.requestFailure);
}

async function plain(port: number): Promise<PlainClient> {
  const client = await PlainClient.connect(port);
  closing.push(() => client.destroy());
  return client;
}

/** Tests for the defect that a patch repairs. Each resolves to true if the library behaves correctly. */
const probes: Record<string, (lib: TestLibrary) => Promise<boolean>> = {
  'first-kex-guess': async (lib) => {
    const client = await plain(await serve(lib, { algorithms: { kex: ['curve25519-sha256'] } }));
    client.hello();
    client.propose({ kex: ['curve25519-sha256'], follows: true });
    client.send(kexMessage.exchangeInit, string(PlainClient.x25519()));
    // A packet that ends the connection, so that the test does not wait for an answer that never comes.
    client.send(kexMessage.exchangeInit);
    await client.ends();
    return client.has(kexMessage.exchangeReply);
  },
  mlkem768x25519: async (lib) => {
    try {
      const client = await plain(await serve(lib, { algorithms: { kex: ['mlkem768x25519-sha256'] as never } }));
      return await client.exchangeMlKem();
    } catch {
      return false;
    }
  },
  'server-sig-algs': async (lib) => {
    const told = async (options: Partial<ServerOptions>): Promise<string[]> => {
      const client = await RawClient.connect(await serve(lib, options));
      closing.push(() => client.destroy());
      const packet = await client.take(7);
      const name = stringAt(packet, 5);
      return stringAt(packet, 9 + name.length)
        .toString()
        .split(',');
    };
    return (
      (await told({})).includes('rsa-sha2-512') &&
      (await told({ serverSigAlgs: ['ssh-ed25519', 'rsa-sha2-512'] })).join() === 'ssh-ed25519,rsa-sha2-512'
    );
  },
  'terminal-modes': async (lib) => {
    let modes: unknown;
    const port = await serve(
      lib,
      {},
      letIn((session) =>
        session.on('pty', (accept, _reject, info) => {
          modes = info.modes;
          accept();
        }),
      ),
    );
    const client = await login(port);
    const channel = await client.openSession();
    // VERASE, an unknown opcode, TTY_OP_OSPEED with a large value, and an opcode above 159, after which nothing can be
    // parsed.
    const encoded = Buffer.concat([
      Buffer.from([3]),
      uint32(127),
      Buffer.from([120]),
      uint32(1),
      Buffer.from([129]),
      uint32(0xff000001),
      Buffer.from([200, 1]),
    ]);
    try {
      await client.requestTerminal(channel, 'xterm', 80, 24, encoded);
    } catch {
      return false;
    }
    return JSON.stringify(modes) === JSON.stringify({ VERASE: 127, TTY_OP_OSPEED: 0xff000001 });
  },
  'identification-string': (lib) => {
    const headers: string[] = [];
    const { Protocol } = protocolOf(lib);
    const parse = (...pieces: readonly string[]): void => {
      const protocol = new Protocol({
        server: true,
        hostKeys: {},
        onWrite: () => undefined,
        onError: () => undefined,
        onHeader: ({ identRaw }) => headers.push(identRaw),
      });
      for (const piece of pieces) protocol.parse(Buffer.from(piece, 'latin1'), 0, piece.length);
    };
    const refused = (...pieces: readonly string[]): boolean => {
      try {
        parse(...pieces);
        return false;
      } catch {
        return true;
      }
    };
    const longest = `SSH-2.0-${'x'.repeat(245)}`;
    const kept =
      !refused(...'SSH-2.0-slow\r\n') && !refused(`${longest}\r\n`) && headers.join() === `SSH-2.0-slow,${longest}`;
    return Promise.resolve(
      kept &&
        refused(`${longest}x\r\n`) &&
        refused('SSH-2.0-\x1b[2J\r\n') &&
        refused('SSH-2.0-x\0\r\n') &&
        refused(`SSH-2.0-${'x'.repeat(8000)}`),
    );
  },
  'channel-request-replies': async (lib) => {
    const port = await serve(
      lib,
      {},
      letIn((session) => {
        session.on('exec', (accept, reject: (() => void) | undefined) => {
          if ((accept() as ServerChannel | undefined) === undefined) reject?.();
        });
        session.on('signal', (accept: (() => void) | undefined) => accept?.());
        session.on('window-change', (accept: (() => void) | undefined) => accept?.());
      }),
    );
    const client = await login(port);
    const channel = await client.openSession();
    expect(await client.granted(channel, 'exec', string('run'))).toBe(true);
    client.request(channel, 'signal', string('INT'));
    client.request(channel, 'window-change', uint32(80), uint32(24), uint32(0), uint32(0));
    client.request(channel, 'exec', string('again'));
    await roundTrip(client);
    const answers = client.received
      .map(([type]) => type)
      .filter((type) => type === message.channelSuccess || type === message.channelFailure);
    return answers.join() === [message.channelSuccess, message.channelSuccess, message.channelFailure].join();
  },
  'writes-after-close': async (lib) => {
    let waiting = false;
    let late = false;
    const port = await serve(
      lib,
      {},
      letIn((session) =>
        session.on('exec', (accept) => {
          const channel = accept();
          channel.on('error', () => undefined);
          channel.write('x'.repeat(5000), () => (waiting = true));
          session.on('close', () => channel.stderr.write('y', () => (late = true)));
        }),
      ),
    );
    const client = await login(port);
    const channel = await client.openSession({ window: 1000 });
    expect(await client.granted(channel, 'exec', string('run'))).toBe(true);
    client.send(message.channelClose, uint32(channel));
    await roundTrip(client);
    await roundTrip(client);
    return waiting && late;
  },
  'authentication-order': async (lib) => {
    const contexts: AuthContext[] = [];
    const port = await serve(lib, {}, (connection) =>
      connection.on('authentication', (context) => contexts.push(context)),
    );
    const hasty = await RawClient.connect(port);
    closing.push(() => hasty.destroy());
    const ask = (client: RawClient, password: string): void =>
      client.send(
        message.userauthRequest,
        string('any'),
        string('ssh-connection'),
        string('password'),
        boolean(false),
        string(password),
      );
    ask(hasty, 'hasty');
    await eventually(() => (hasty.closed || contexts.length > 0 ? true : undefined), 'an answer without a service');
    if (!hasty.closed) return false;
    const client = await RawClient.connect(port);
    closing.push(() => client.destroy());
    await client.requestAuthentication();
    for (const password of ['first', 'second', 'third']) ask(client, password);
    await roundTrip(client);
    for (let at = 0; at < 3; at++) contexts[at]?.reject();
    return (
      contexts.map((context) => (context as AuthContext & { password: string }).password).join() ===
      'first,second,third'
    );
  },
  unimplemented: async (lib) => {
    const client = await RawClient.connect(await serve(lib, {}));
    closing.push(() => client.destroy());
    // With strict key exchange, packet numbers start again at NEWKEYS: these are the packets 0 and 1.
    client.send(message.ignore, string(''));
    client.send(192, string('what is this'));
    await client.requestAuthentication();
    return client.received.some((packet) => packet.equals(Buffer.from([3, 0, 0, 0, 1])));
  },
  'cipher-keys': async ({ path }) => {
    const pairs = await Promise.all(
      ['chacha20-poly1305@openssh.com', 'aes256-gcm@openssh.com'].map((name) => cipherPair(path, name)),
    );
    for (const { pass } of pairs)
      for (const text of ['first', 'second']) expect(pass(Buffer.from(text)).toString()).toBe(text);
    // "npm run bench:packets" measures that Node.js is slower with keys as bytes.
    return pairs.every(({ cipher, decipher }) =>
      [cipher, decipher].every((end) => Object.values(end).some((value) => value instanceof KeyObject)),
    );
  },
};

interface ProtocolClass {
  new (options: {
    server: true;
    hostKeys: object;
    onWrite: () => void;
    onError: () => void;
    onHeader: (header: { identRaw: string }) => void;
  }): { parse(data: Buffer, from: number, to: number): void };
}

function protocolOf({ path }: TestLibrary): { Protocol: ProtocolClass } {
  return { Protocol: moduleOf(path, 'lib', 'protocol', 'Protocol.js') as ProtocolClass };
}

it('every patch has a probe', async () => {
  expect((await patchNames()).map((name) => name.replace(/^ssh2-1\.17\.0-\d\d-(.*)\.patch$/, '$1'))).toEqual(
    Object.keys(probes),
  );
});

describe.each(Object.entries(probes))('the patch %s', (name, probe) => {
  it('is needed', async () => {
    expect(await probe(await library(name))).toBe(false);
  });

  it('repairs the defect', async () => {
    expect(await probe(await library())).toBe(true);
  });
});

describe('a guess at the key exchange', () => {
  it.each([
    ['of another key exchange', { kex: ['sntrup761x25519-sha512', 'curve25519-sha256'] }],
    ['of another host key', { kex: ['curve25519-sha256'], hostKey: ['ssh-rsa', 'ssh-ed25519'] }],
  ])('%s is discarded', async (_what, proposal) => {
    const client = await plain(await serve(await library(), { algorithms: { kex: ['curve25519-sha256'] } }));
    client.hello();
    client.propose({ ...proposal, follows: true });
    client.send(kexMessage.exchangeInit, string('what another key exchange would send'));
    client.send(kexMessage.exchangeInit, string(PlainClient.x25519()));
    await client.take(kexMessage.exchangeReply);
  });
});

describe('mlkem768x25519-sha256', () => {
  const mlKemKey = 1184;
  it.each([
    ['a key that is too short', Buffer.alloc(mlKemKey + 31, 1)],
    ['a key that is too long', Buffer.alloc(mlKemKey + 33, 1)],
    ['nothing', Buffer.alloc(0)],
    [
      'an ML-KEM key whose coefficients are not reduced (FIPS 203, section 7.2)',
      Buffer.concat([Buffer.alloc(mlKemKey, 0xff), PlainClient.x25519()]),
    ],
    ['an X25519 key of order 1 (RFC 8731, section 3)', Buffer.alloc(mlKemKey + 32)],
  ])('refuses %s', async (_what, init) => {
    const client = await plain(
      await serve(await library(), { algorithms: { kex: ['mlkem768x25519-sha256'] as never } }),
    );
    client.hello();
    client.propose({ kex: ['mlkem768x25519-sha256'] });
    client.send(kexMessage.exchangeInit, string(init));
    await client.ends();
    expect(client.has(kexMessage.exchangeReply)).toBe(false);
  });
});

describe('an ssh2 without its patches', () => {
  it('is detected if a patch is reversed or the list of patches is missing', async () => {
    expect(() => requirePatches()).not.toThrow();
    expect(() => requirePatches(join(modules, 'ssh2'))).not.toThrow();
    for (const name of await patchNames()) {
      const copy = await copyOfSsh2(folder, name);
      expect(() => requirePatches(copy)).toThrow(/not patched as expected: .* was changed/);
    }
    const bare = await copyOfSsh2(folder);
    await rm(join(bare, 'containarium-patches.json'));
    expect(() => requirePatches(bare)).toThrow(/not patched as expected/);
  });

  it('prevents the start of the server, with the next step', async () => {
    const home = await mkdtemp(join(folder, 'product-'));
    await mkdir(join(home, 'node_modules'));
    for (const name of await readdir(modules))
      if (name !== 'ssh2') await symlink(join(modules, name), join(home, 'node_modules', name));
    await cp(join(modules, 'ssh2'), join(home, 'node_modules', 'ssh2'), { recursive: true });
    await rm(join(home, 'node_modules', 'ssh2', 'containarium-patches.json'));
    for (const name of ['package.json', 'dist', join('src', 'front', 'patches')])
      await cp(join(repository, name), join(home, name), { recursive: true });
    const { exitCode, stderr } = await execa(process.execPath, [join(home, 'dist', 'main.js'), 'serve'], {
      reject: false,
      extendEnv: false,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: home,
        CONTAINARIUM_HOME: join(home, 'home'),
        CONTAINARIUM_HOST: 'simulated',
        CONTAINARIUM_LISTEN: '127.0.0.1:0',
      },
    });
    expect(stderr).toMatch(/the installed ssh2 is not patched as expected/);
    expect(stderr).toMatch(/npm start/);
    expect(exitCode).not.toBe(0);
  });
});
