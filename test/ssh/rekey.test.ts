/**
 * Key changes under load, for every client. The server has the algorithms and the key changes of the front (src/front),
 * and runs a program that echoes its input, because no verb of the product transfers megabytes. No byte may be lost,
 * repeated or changed.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import ssh2, { type Connection } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { algorithmOptions } from '../../src/front/transport/algorithms.ts';
import { internalsOf } from '../../src/front/transport/internals.ts';
import { changeKeysInTime, type RekeyLimits } from '../../src/front/transport/rekey.ts';
import { makeHostKey } from '../../src/host/hostKey.ts';
import { makeKey } from '../support/keys.ts';
import { sshClients, type ClientOptions, type SshTarget } from '../support/sshClients.ts';
import { temporaryFolder } from '../support/server.ts';

const bytes = 8 * 1024 * 1024;
const data = randomBytes(bytes);
const hash = createHash('sha256').update(data).digest('hex');

let target: SshTarget;
let limits: RekeyLimits;
/** Number of key exchanges on the latest connection. */
let exchanges = 0;
let fault: string | undefined;
let server: InstanceType<typeof ssh2.Server>;

const never = { rekeyBytes: 2 ** 40, rekeyMs: 3_600_000 };

beforeAll(async () => {
  const folder = await temporaryFolder();
  const hostKey = makeHostKey('test');
  await mkdir(join(folder, 'keys'));
  await writeFile(join(folder, 'keys', 'host_ed25519.pub'), `${hostKey.publicKey} test\n`);
  const key = await makeKey(folder, 'user');
  server = new ssh2.Server({ hostKeys: [hostKey.privateKey], ident: 'test', ...algorithmOptions('fallback') }, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const knownHosts = join(folder, 'known_hosts');
  await writeFile(knownHosts, `[127.0.0.1]:${port} ${hostKey.publicKey}\n`);
  target = {
    port,
    home: folder,
    adminKey: key.path,
    sshArguments: ({ options = [] } = {}) => [
      ...['-F', 'none', '-p', String(port), ...options, '-i', key.path],
      ...[
        'IdentitiesOnly=yes',
        'IdentityAgent=none',
        'BatchMode=yes',
        'UpdateHostKeys=no',
        `UserKnownHostsFile=${knownHosts}`,
      ].flatMap((option) => ['-o', option]),
      'manage@127.0.0.1',
    ],
  };
});
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

function serve(connection: Connection): void {
  exchanges = 0;
  changeKeysInTime(connection, limits);
  internalsOf(connection)._sock.setNoDelay(true);
  // Some clients disconnect before their last packet is read.
  connection.on('error', (error: Error & { level?: string }) => {
    if (error.level !== 'socket') fault = error.message;
  });
  connection.on('handshake', () => exchanges++);
  connection.on('authentication', (context) =>
    context.method === 'publickey' ? context.accept() : context.reject(['publickey']),
  );
  connection.on('session', (accept) => {
    accept().on('exec', (acceptExec) => {
      const channel = acceptExec();
      channel.on('data', (piece: Buffer) => {
        // Echoes at the pace of the client.
        if (!channel.write(piece)) {
          channel.pause();
          channel.once('drain', () => channel.resume());
        }
      });
      channel.on('end', () => {
        channel.exit(3);
        channel.end();
      });
    });
  });
}

const all = await sshClients();

describe.each(all.map((client) => [client.name, client] as const))('%s', (_name, client) => {
  async function echo(options: ClientOptions): Promise<number> {
    fault = undefined;
    const [program = '', ...args] = await client.command(target, options);
    const { stdout, exitCode, stderr } = await execa(program, [...args, 'echo'], {
      reject: false,
      input: data,
      encoding: 'buffer',
      // The random data may end with one.
      stripFinalNewline: false,
      env: client.env,
    });
    // PuTTY may send its last packet, CHANNEL_CLOSE (97), after its own KEXINIT, which RFC 4253, section 7.1, forbids.
    expect([undefined, 'Received unexpected packet type 97']).toContain(fault);
    expect(stdout.length, Buffer.from(stderr).toString()).toBe(bytes);
    expect(createHash('sha256').update(stdout).digest('hex')).toBe(hash);
    expect(exitCode).toBe(3);
    return exchanges;
  }

  it('transfers megabytes without a key change', async () => {
    limits = never;
    expect(await echo({})).toBe(1);
  });

  it('loses nothing in key changes by the server', async () => {
    limits = { ...never, rekeyBytes: 256 * 1024 };
    expect(await echo({})).toBeGreaterThan(3);
  });

  if (client.changesKeys) {
    it('loses nothing in key changes by the client', async () => {
      limits = never;
      expect(await echo({ rekeyBytes: 1024 * 1024 })).toBeGreaterThan(3);
    });

    it('loses nothing in key changes by both sides', async () => {
      limits = { ...never, rekeyBytes: 300 * 1024 };
      expect(await echo({ rekeyBytes: 256 * 1024 })).toBeGreaterThan(3);
    });
  }

  it('loses nothing in key changes after a time', async () => {
    limits = { ...never, rekeyMs: 20 };
    expect(await echo({})).toBeGreaterThan(1);
  });
});

describe('the server', () => {
  it('holds no output back after a key change', async () => {
    limits = { ...never, rekeyBytes: 256 * 1024 };
    // Queues at the end of each key exchange. The client may disconnect during a further one.
    const kept: (readonly unknown[] | undefined)[] = [];
    const see = (connection: Connection): void => {
      const protocol = internalsOf(connection)._protocol;
      connection.on('handshake', () =>
        setImmediate(() => (protocol._kexinit === undefined ? kept.push(protocol._queue) : undefined)),
      );
    };
    server.on('connection', see);
    const [client] = all;
    const [program = '', ...args] = (await client?.command(target)) ?? [];
    await execa(program, [...args, 'echo'], {
      reject: false,
      input: data.subarray(0, 1024 * 1024),
      encoding: 'buffer',
    });
    server.off('connection', see);
    expect(kept.length).toBeGreaterThan(1);
    expect(kept.filter((queue) => queue !== undefined)).toEqual([]);
  });
});
