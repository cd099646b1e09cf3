/**
 * Floods of connections, unread answers, key exchanges, sessions and commands. The front limits its memory for each,
 * serves other clients meanwhile, and afterwards uses no more memory than before.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openDescriptors } from '../bench/shell/processes.ts';
import { Inspector } from '../soak/inspector.ts';
import { adminOf, anySource, frontOf } from '../support/front.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { boolean, ed25519Signer, message, RawClient, string, stringAt, uint32 } from '../support/rawClient.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';

let server: TestServer;
let admin: TestKey;
let pid: number;
let files: number;
let inspector: Inspector;
/** Live memory of the front before the tests, in MiB. */
let mib: number;

/** Returns the live memory of the front in MiB, without garbage that V8 has not collected yet. */
async function aliveMiB(): Promise<number> {
  return (await inspector.liveBytes()) / 2 ** 20;
}

beforeAll(async () => {
  // Longer than every test except the first takes.
  server = await startServer({ config: { ssh: { loginGraceMs: 8000, maxAuthTries: 6 } } });
  admin = await adminOf(server);
  pid = await frontOf(server);
  // The first connections load code and grow the heap.
  for (let i = 0; i < 20; i++) (await RawClient.login(server.port, admin)).destroy();
  await honest();
  // The inspector has descriptors of its own.
  inspector = await Inspector.of(pid);
  await eventually(() => (openDescriptors(pid) < 40 ? true : undefined), 'all connections are closed');
  files = openDescriptors(pid);
  mib = await aliveMiB();
});

async function honest(): Promise<void> {
  const { code, stderr } = await server.ssh(['whoami', '--json']);
  expect(code, stderr).toBe(0);
}

afterEach(async () => {
  expect(await frontOf(server), server.log().slice(-6000)).toBe(pid);
  await honest();
  await eventually(
    () => (openDescriptors(pid) <= files ? true : undefined),
    () => Promise.resolve(`descriptors: ${openDescriptors(pid)}, before: ${files}`),
  );
  // A leak would exceed this limit: each flood sends or requests many times as much.
  expect((await aliveMiB()) - mib).toBeLessThan(8);
  expect(server.log()).not.toMatch(/"kind":"(uncaught|unhandled)"/);
});

/** Waits for the log, which comes through a pipe and may arrive after the end of the connection. */
async function logged(pattern: RegExp): Promise<void> {
  await eventually(() => (pattern.test(server.log()) ? true : undefined), `${pattern} in the log`);
}

/** Sends until the other side has accepted nothing for a second. Resolves to the number of bytes it accepted. */
async function sendUntilStuck(client: RawClient, packets: () => void, maxBytes: number): Promise<number> {
  const { socket } = client;
  while (!client.closed && socket.bytesWritten < maxBytes) {
    client.together(packets);
    // The end of the connection is an event, which a loop without a pause would never see.
    await new Promise((resolve) => setImmediate(resolve));
    if (!socket.writableNeedDrain) continue;
    const taken = await Promise.race([
      once(socket, 'drain').then(() => true),
      once(socket, 'close').then(() => true),
      new Promise<false>((resolve) => setTimeout(() => resolve(false), 1000)),
    ]);
    if (!taken) break;
  }
  return socket.bytesWritten - socket.writableLength;
}

describe('before a login', () => {
  test('2,000 silent connections are closed after the grace period, and other clients are served meanwhile (18, L6)', async () => {
    const sockets: Socket[] = [];
    const closed: Promise<unknown>[] = [];
    for (let i = 0; i < 2000; i++) {
      const socket = connect({ port: server.port, host: '127.0.0.1', localAddress: anySource() });
      closed.push(once(socket.on('error', () => undefined).resume(), 'close'));
      sockets.push(socket);
      if (i % 100 === 99) await once(socket, 'connect').catch(() => undefined);
    }
    await honest();
    await Promise.all(closed);
  });

  test('the server stops reading from a client that reads no answers (L4)', async () => {
    const client = await RawClient.connect(server.port, anySource());
    client.socket.pause();
    const before = await aliveMiB();
    const maxBytes = 40 * 2 ** 20;
    const sentBytes = await sendUntilStuck(
      client,
      () => {
        for (let i = 0; i < 200; i++) client.send(message.globalRequest, string('x'), boolean(true));
      },
      maxBytes,
    );
    // The kernel's buffers accept this much.
    expect(sentBytes).toBeLessThan(maxBytes / 2);
    expect((await aliveMiB()) - before).toBeLessThan(8);
    client.destroy();
  });

  test('a connection that is reset after its first line harms no other client (L22)', async () => {
    for (let i = 0; i < 300; i++) {
      const socket = connect({ port: server.port, host: '127.0.0.1', localAddress: anySource() });
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write('SSH-2.0-hasty\r\n');
      if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      socket.resetAndDestroy();
    }
  });

  test('a second key exchange ends the connection', async () => {
    const client = await RawClient.connect(server.port, anySource());
    client.rekey();
    await client.ends();
    await logged(/a second key exchange before the login/);
  });

  test('a connection that the server ends is closed, whether or not the client closes its side', async () => {
    const before = openDescriptors(pid);
    const sockets = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = connect({
          port: server.port,
          host: '127.0.0.1',
          localAddress: anySource(),
          allowHalfOpen: true,
        });
        socket.on('error', () => undefined).resume();
        await once(socket, 'connect');
        // A packet of 4 GiB (RFC 4253, section 6).
        socket.write(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), Buffer.alloc(64, 0xff)]));
        await once(socket, 'end');
        return socket;
      }),
    );
    // Well before the end of the grace period of 8 s.
    await eventually(() => (openDescriptors(pid) <= before ? true : undefined), 'the connections are closed', 5000);
    for (const socket of sockets) socket.destroy();
  });

  test('an identification line of any kind is accepted or rejected, and never logged verbatim (20)', async () => {
    const lines = [
      'SSH-2.0-\u001b[2Jevil\r\n',
      'SSH-2.0-a\u0000b\r\n',
      `SSH-2.0-${'x'.repeat(8000)}\r\n`,
      `SSH-2.0-${'y'.repeat(20_000)}`,
      '\u001b]0;title\u0007\r\n',
      'SSH-2.0-no end',
    ];
    await Promise.all(
      lines.map(async (line) => {
        const socket = connect({ port: server.port, host: '127.0.0.1', localAddress: anySource() });
        socket.on('error', () => undefined).resume();
        socket.write(line);
        setTimeout(() => socket.end(), 300);
        await once(socket, 'close');
      }),
    );

    expect(server.log()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]|xxxx|yyyy/);
  });

  test.each([7, 8, 61, 80, 81, 82, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 127, 192, 255])(
    'message %d has no effect or ends the connection (26)',
    async (type) => {
      const client = await RawClient.connect(server.port, anySource());
      await client.requestAuthentication();
      client.together(() => {
        client.send(
          type,
          type === 90 ? string('session') : uint32(0),
          type === 98 ? Buffer.concat([string('exec'), boolean(true), string('whoami')]) : string('tcpip-forward'),
          uint32(1024),
          uint32(1024),
        );
        client.send(type, string('tcpip-forward'), boolean(true), string('127.0.0.1'), uint32(0));
        client.send(message.channelOpen, string('session'), uint32(7), uint32(2 ** 21), uint32(32_768));
        client.send(message.channelRequest, uint32(0), string('exec'), boolean(true), string('whoami --json'));
        client.send(message.userauthRequest, string('manage'), string('ssh-connection'), string('none'));
      });
      await eventually(
        () =>
          client.closed || client.received.some(([answer]) => answer === message.userauthFailure) ? true : undefined,
        'an answer or the end',
      );
      for (const answer of [
        message.channelOpenConfirmation,
        message.channelSuccess,
        message.channelData,
        message.requestSuccess,
        message.userauthSuccess,
      ]) {
        expect(client.received.map(([got]) => got)).not.toContain(answer);
      }
      client.destroy();
    },
  );

  test('a login whose client disconnects, or claims to be logged in, before the decision harms no other client (27)', async () => {
    for (let i = 0; i < 60; i++) {
      const client = await RawClient.connect(server.port, anySource());
      client.send(message.serviceRequest, string('ssh-userauth'));
      const fields = [string('manage'), string('ssh-connection'), string('publickey')];
      const offer = [boolean(true), string('ssh-ed25519'), string(admin.blob)];
      const signed = Buffer.concat([
        string(client.sessionId),
        Buffer.from([message.userauthRequest]),
        ...fields,
        ...offer,
      ]);
      client.together(() => {
        client.send(message.userauthRequest, ...fields, ...offer, string(ed25519Signer(admin)(signed)));
        if (i % 3 === 1) client.send(message.userauthSuccess);
        if (i % 3 === 2) client.send(message.userauthFailure, string('publickey'), boolean(false));
        client.send(message.channelOpen, string('session'), uint32(0), uint32(2 ** 21), uint32(32_768));
        client.send(message.channelRequest, uint32(0), string('exec'), boolean(true), string('whoami'));
      });
      if (i % 2 === 0) client.socket.destroySoon();
      else client.socket.resetAndDestroy();
    }
  });
});

describe('after a login', () => {
  test('the server stops reading from a client that reads no answers (L4)', async () => {
    const client = await RawClient.login(server.port, admin, 'manage', anySource());
    client.socket.pause();
    const before = await aliveMiB();
    const maxBytes = 40 * 2 ** 20;
    const sentBytes = await sendUntilStuck(
      client,
      () => {
        for (let i = 0; i < 200; i++)
          client.send(message.channelOpen, string('no-such-kind'), uint32(i), uint32(0), uint32(1024));
      },
      maxBytes,
    );
    expect(sentBytes).toBeLessThan(maxBytes / 2);
    expect((await aliveMiB()) - before).toBeLessThan(8);
    client.destroy();
  });

  test('10 of 10,000 sessions are opened, and the rest are refused (37, L16)', async () => {
    const client = await RawClient.login(server.port, admin, 'manage', anySource());
    client.together(() => {
      for (let id = 0; id < 10_000; id++)
        client.send(message.channelOpen, string('session'), uint32(id), uint32(2 ** 21), uint32(32_768));
    });
    const answered = (type: number): number => client.received.filter(([got]) => got === type).length;
    await eventually(
      () =>
        answered(message.channelOpenConfirmation) + answered(message.channelOpenFailure) === 10_000 ? true : undefined,
      'an answer to each',
    );
    expect(answered(message.channelOpenConfirmation)).toBe(10);
    client.destroy();
  });

  test('20,000 sessions that are opened and closed are all closed by the server, and leave nothing behind (38, L15)', async () => {
    const client = await RawClient.login(server.port, admin, 'manage', anySource());
    let closes = 0;
    const count = 20_000;
    const before = await aliveMiB();
    for (let from = 0; from < count; from += 500) {
      client.together(() => {
        for (let id = from; id < from + 500; id++) {
          client.send(message.channelOpen, string('session'), uint32(id), uint32(2 ** 21), uint32(32_768));
          // The server numbers channels in the order of their opening.
          client.send(message.channelClose, uint32(id));
        }
      });
      await eventually(
        () => {
          closes += client.received.splice(0).filter(([type]) => type === message.channelClose).length;
          return closes === from + 500 ? true : undefined;
        },
        () => Promise.resolve(`${from + 500} closed; there are ${closes}`),
      );
    }
    expect(closes).toBe(count);
    expect((await aliveMiB()) - before).toBeLessThan(8);
    client.destroy();
  });

  test('a flood of key exchanges ends the connection, but key exchanges that a transfer requires do not', async () => {
    const client = await RawClient.login(server.port, admin, 'manage', anySource());
    let done = 0;
    for (; done < 1000 && !client.closed; done++) await Promise.race([client.rekeyed(), once(client.socket, 'close')]);
    expect(client.closed).toBe(true);
    expect(done).toBeLessThan(100);
    await logged(/too many key exchanges/);
  });

  test('a channel window cannot grow beyond its maximum (L4)', async () => {
    const client = await RawClient.login(server.port, admin, 'manage', anySource());
    const channel = await client.openSession({ window: 2 ** 32 - 1 });
    expect(await client.granted(channel, 'exec', string('create window'))).toBe(true);
    client.send(message.channelWindowAdjust, uint32(channel), uint32(1));
    await client.ends();
    await logged(/a window of more than 4 GiB/);
  });

  test('100,000 environment variables leave nothing behind (44)', async () => {
    const client = await RawClient.login(server.port, admin, 'manage', anySource());
    const channel = await client.openSession();
    const before = await aliveMiB();
    for (let from = 0; from < 100_000; from += 1000) {
      client.together(() => {
        for (let i = from; i < from + 1000; i++) {
          client.send(
            message.channelRequest,
            uint32(channel),
            string('env'),
            boolean(false),
            string(`LC_${'ABCDEFGHIJ'[i % 10] ?? ''}${'KLMNOPQRST'[(i >> 4) % 10] ?? ''}`),
            string('v'.repeat(100)),
          );
        }
      });
      if (client.socket.writableNeedDrain) await once(client.socket, 'drain');
    }
    expect(await client.granted(channel, 'env', string('LC_ONEMORE'), string('x'))).toBe(false);
    expect((await aliveMiB()) - before).toBeLessThan(8);
    client.destroy();
  });
});

/** Runs commands on one connection, with the maximum number of sessions at a time. Resolves to their answers. */
async function execAll(
  client: RawClient,
  lines: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string }[]> {
  const results: { code: number; stdout: string }[] = [];
  const numbers = new Map<number, number>();
  const output = new Map<number, string>();
  let next = 0;
  let ended = 0;
  const open = (): void => {
    if (next < lines.length)
      client.send(message.channelOpen, string('session'), uint32(next++), uint32(2 ** 21), uint32(32_768));
  };
  for (let i = 0; i < 10; i++) open();
  while (ended < lines.length) {
    for (const packet of client.received.splice(0)) {
      const id = packet.length >= 5 ? packet.readUInt32BE(1) : -1;
      if (packet[0] === message.channelOpenFailure) throw new Error(`session ${id} was refused`);
      if (packet[0] === message.channelOpenConfirmation) {
        numbers.set(id, packet.readUInt32BE(5));
        client.request(packet.readUInt32BE(5), 'exec', string(lines[id] ?? ''));
        client.send(message.channelEof, uint32(packet.readUInt32BE(5)));
      }
      if (packet[0] === message.channelData) output.set(id, (output.get(id) ?? '') + stringAt(packet, 5).toString());
      if (packet[0] === message.channelRequest && stringAt(packet, 5).toString() === 'exit-status')
        results[id] = { code: packet.readUInt32BE(packet.length - 4), stdout: output.get(id) ?? '' };
      if (packet[0] === message.channelClose) {
        client.send(message.channelClose, uint32(numbers.get(id) ?? 0));
        ended++;
        open();
      }
    }
    if (client.closed) throw new Error(`the connection closed after ${ended} of ${lines.length}`);
    if (ended < lines.length) await client.changes(5000);
  }
  return results;
}

describe('a flood of commands', () => {
  test('of 500 over one connection is answered completely, and another client does not wait for its end (39)', async () => {
    const client = await RawClient.login(server.port, admin, 'manage', anySource());
    let over = false;
    const flood = execAll(
      client,
      Array.from({ length: 500 }, (_, i) => `help --json --nonsense${i}`),
    ).finally(() => (over = true));
    const other = await RawClient.login(server.port, admin, 'manage', anySource());
    const [honestAnswer] = await execAll(other, ['whoami --json']);
    expect(over).toBe(false);
    expect(honestAnswer?.code).toBe(0);
    const answers = await flood;
    for (const [i, { code, stdout }] of answers.entries()) {
      expect(code).toBe(2);
      // Each command gets its own answer.
      expect(stdout).toMatch(new RegExp(`nonsense${i}\\b`));
    }
    expect(answers).toHaveLength(500);
    client.destroy();
    other.destroy();
  });

  test('of 20 over each of 50 connections, changes among them, loses no command and runs none twice (39)', async () => {
    const folder = await temporaryFolder();
    const key = await makeKey(folder, 'crowd');
    const quoted = `--ssh-key "${key.line.trim()}"`;
    // As many commands as one person may have running (callPlaces), of ten persons.
    const people: TestKey[] = [];
    for (let i = 0; i < 10; i++) {
      const person = await makeKey(folder, `person${i}`);
      const added = await server.ssh(['admin', 'add', `person${i}`, '--role', 'operator'], { stdin: person.line });
      expect(added.code, added.stderr).toBe(0);
      people.push(person);
    }
    const clients: RawClient[] = [];
    for (let i = 0; i < 50; i++)
      clients.push(await RawClient.login(server.port, people[i % 10] ?? admin, 'manage', anySource()));
    // Five connections at a time request each of ten containers, between commands that only read.
    const lines = clients.map((_, i) =>
      Array.from({ length: 20 }, (__, j) =>
        j === 7 ? `create crowd${i % 10} ${quoted} --json` : j % 2 === 0 ? 'list --json' : 'whoami --json',
      ),
    );
    const answers = await Promise.all(clients.map((client, i) => execAll(client, lines[i] ?? [])));
    const created = new Map<string, number>();
    for (const [i, mine] of answers.entries()) {
      expect(mine).toHaveLength(20);
      for (const [j, { code, stdout }] of mine.entries()) {
        const document = JSON.parse(stdout) as { ok: boolean; command: string; error?: { code: string } };
        expect(document.command).toBe((lines[i]?.[j] ?? '').split(' ')[0]);
        if (j !== 7) expect(code).toBe(0);
        else if (code === 0) created.set(`crowd${i % 10}`, (created.get(`crowd${i % 10}`) ?? 0) + 1);
        else expect(document.error?.code, stdout).toMatch(/^(busy|conflict|exists|user-exists)$/);
      }
    }
    expect([...created].sort()).toEqual(Array.from({ length: 10 }, (_, i) => [`crowd${i}`, 1]));
    const listed = await server.ssh(['list', '--format', 'csv', '--columns', 'user']);
    expect(listed.stdout.split('\n').filter((user) => user.startsWith('crowd'))).toHaveLength(10);
    expect((await server.ssh(['reconcile'])).code).toBe(0);
    expect((await server.ssh(['audit', 'verify'])).code).toBe(0);
    for (const client of clients) client.destroy();
  }, 120_000);
});
