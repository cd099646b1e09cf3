/**
 * The guards on a bare ssh2 server. On the whole server, other limits would act before some of them.
 */
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:net';
import { queryObjects } from 'node:v8';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ChannelOutput } from '../../../src/front/sessions/channelOutput.ts';
import { destroyAfterEnd } from '../../../src/front/guards/closing.ts';
import { limitKeyExchanges } from '../../../src/front/guards/keyExchanges.ts';
import { dropServerOnlyMessages } from '../../../src/front/guards/messages.ts';
import { paceReading } from '../../../src/front/guards/pace.ts';
import { enforceWindows } from '../../../src/front/guards/windows.ts';
import { UnreadOutputs } from '../../../src/connectionLimits/unreadOutput.ts';
import { exit } from '../../../src/front/sessions/exit.ts';
import { disconnect } from '../../../src/front/transport/disconnect.ts';
import { countUnread } from '../../../src/front/transport/unread.ts';
import { makeKey, type TestKey } from '../../support/keys.ts';
import { message, RawClient, string, uint32 } from '../../support/rawClient.ts';
import { eventually, temporaryFolder } from '../../support/server.ts';

let hostKey: TestKey;
let written: string;
const ends: (() => void)[] = [];

beforeAll(async () => {
  hostKey = await makeKey(await temporaryFolder(), 'host');
});

beforeEach(() => {
  written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
});

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Starts a server that accepts every login and passes the channel of each command to `use`. */
async function serve(
  guard: (connection: Connection) => void,
  use: (channel: ServerChannel, connection: Connection) => void,
): Promise<number> {
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (connection) => {
    connection.on('error', () => undefined);
    guard(connection);
    connection.on('authentication', (context) => context.accept());
    connection.on('session', (accept) => {
      accept().on('exec', (acceptExec) => use(acceptExec(), connection));
    });
  });
  const net = createServer((socket) => {
    destroyAfterEnd(socket);
    server.injectSocket(socket);
    ends.push(() => socket.destroy());
  });
  net.listen(0, '127.0.0.1');
  await once(net, 'listening');
  ends.push(() => net.close());
  const address = net.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function exec(port: number, window?: number): Promise<{ client: RawClient; channel: number }> {
  const client = await RawClient.connect(port);
  ends.push(() => client.destroy());
  await client.requestAuthentication();
  await client.tryLogin('anybody', 'none');
  const channel = await client.openSession(window === undefined ? {} : { window });
  await client.granted(channel, 'exec', string('anything'));
  return { client, channel };
}

describe('a message that only a server sends (L1)', () => {
  test.each([message.userauthFailure, message.userauthSuccess, message.userauthBanner, message.userauthPkOk])(
    'with number %d does not remove a pending authentication, so that a late answer is still possible',
    async (type) => {
      const answered: unknown[] = [];
      const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (connection) => {
        connection.on('error', () => undefined);
        dropServerOnlyMessages(connection);
        connection.on('authentication', (context) => {
          setTimeout(() => {
            try {
              context.reject(['publickey']);
              answered.push('answered');
            } catch (error) {
              answered.push(error);
            }
          }, 100);
        });
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      ends.push(() => server.close());
      const client = await RawClient.connect((server.address() as { port: number }).port);
      ends.push(() => client.destroy());
      await client.requestAuthentication();
      client.together(() => {
        client.send(message.userauthRequest, string('manage'), string('ssh-connection'), string('none'));
        client.send(type, string('publickey'), Buffer.from([0]), string(''));
      });
      await eventually(() => (answered.length > 0 ? true : undefined), 'a decision');
      expect(answered).toEqual(['answered']);
    },
  );
});

describe('a channel window that is not consumed (34, L3)', () => {
  test('accepts what was granted, and ends the connection at the first packet beyond it', async () => {
    let channel: ServerChannel | undefined;
    const port = await serve(enforceWindows, (opened) => (channel = opened.pause()));
    const { client, channel: id } = await exec(port);
    const granted = (): number =>
      client.received
        .filter(([type]) => type === message.channelWindowAdjust)
        .reduce((sum, packet) => sum + packet.readUInt32BE(5), 2 ** 21);
    // Must not divide the window: ssh2 itself notices a window of exactly 0.
    const piece = Buffer.alloc(30_000);
    let sent = 0;
    for (; sent + piece.length <= granted(); sent += piece.length) {
      client.send(message.channelData, uint32(id), string(piece));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(
      () => (channel?.readableLength === sent ? true : undefined),
      () => Promise.resolve(`${sent} bytes to arrive; ${channel?.readableLength} have`),
    );
    expect(client.closed).toBe(false);
    for (let i = 0; i < 1000; i++) client.send(message.channelData, uint32(id), string(piece));
    await client.ends();
    expect(channel?.readableLength).toBeLessThanOrEqual(granted());
    expect(written).toMatch(/more data than the window allows/);
  });
});

describe('a key exchange', () => {
  test('that is begun and not completed ends the connection', async () => {
    const port = await serve(
      (connection) => limitKeyExchanges(connection, () => true, 300),
      () => undefined,
    );
    const { client } = await exec(port);
    // KEXINIT alone; the server answers with its own and waits for the rest (RFC 4253, section 7).
    await client.beginKeyExchange();
    await client.ends();
    expect(written).toMatch(/a key exchange was not completed/);
  });

  test('that is completed leaves the connection open', async () => {
    const port = await serve(
      (connection) => limitKeyExchanges(connection, () => true, 300),
      () => undefined,
    );
    const { client } = await exec(port);
    for (let i = 0; i < 10; i++) await client.rekeyed();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(client.closed).toBe(false);
  });

  test('holds back output until it is complete, instead of letting it pile up in memory', async () => {
    let opened: { channel: ServerChannel; output: ChannelOutput } | undefined;
    const port = await serve(
      () => undefined,
      (channel, connection) => (opened = { channel: channel.resume(), output: new ChannelOutput(connection, channel) }),
    );
    const { client } = await exec(port, 2 ** 32 - 1);
    const { channel, output } = await eventually(() => opened, 'a channel');
    await client.beginKeyExchange();
    await client.take(20);
    let taken = 0;
    // Writes as a program in a container does: the next piece when the last one is taken.
    const program = (async () => {
      for (; taken < 100 && !client.closed; taken++) {
        output.write(channel, Buffer.alloc(2 ** 16));
        await output.flushed();
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 500));
    // ssh2 has the first piece and keeps it until the exchange is complete.
    expect(taken).toBe(0);
    client.destroy();
    await program;
  });
});

describe('unread output (35, L4)', () => {
  test('ends the connection if more than a megabyte stays unread too long, and not before', async () => {
    let opened: { channel: ServerChannel; output: ChannelOutput } | undefined;
    const port = await serve(
      () => undefined,
      (channel, connection) => (opened = { channel, output: new ChannelOutput(connection, channel, 200) }),
    );
    const { client } = await exec(port, 0);
    await eventually(() => opened, 'a channel');
    opened?.output.write(opened.channel, Buffer.alloc(2 ** 20));
    await new Promise((resolve) => setTimeout(resolve, 700));
    // A megabyte may stay unread, as behind a pager.
    expect(client.closed).toBe(false);
    opened?.output.write(opened.channel, Buffer.alloc(2 ** 22));
    await client.ends();
    expect(written).toMatch(/output was not read/);
  });
});

describe('output beyond what a person may leave unread (L4)', () => {
  test('is dropped, and the connection ends with a reason and without an exit status', async () => {
    const outputs = new UnreadOutputs({
      unreadMs: 0,
      limits: { all: 2 ** 24, ofOwners: 2 ** 24, perAdmin: 2 ** 21, perOwner: 2 ** 21 },
    });
    const port = await serve(
      (connection) => {
        enforceWindows(connection);
        const unread = outputs.open({
          stalled: () => undefined,
          full: (reason) => disconnect(connection, reason),
        });
        countUnread(connection, unread);
        unread.belongsTo({ name: 'carol', entryPoint: 'manage' });
      },
      (channel, connection) => {
        const output = new ChannelOutput(connection, channel);
        for (let i = 0; i < 8; i++) output.write(channel, Buffer.alloc(2 ** 17));
        void output.flushed().then(() => exit(channel, 0));
      },
    );
    const unreadAnswers = [await exec(port, 0), await exec(port, 0)];
    const reader = await exec(port, 2 ** 22);
    await unreadAnswers[0]?.client.ends();
    const told = unreadAnswers[0]?.client.received.find(([type]) => type === message.disconnect);
    expect(told?.toString()).toContain('of output are unread');
    const requests = unreadAnswers[0]?.client.received.filter(([type]) => type === message.channelRequest) ?? [];
    expect(requests.map((packet) => packet.toString())).toEqual([]);
    // A client that reads gets everything, with the status.
    expect(await reader.client.exitStatus()).toBe(0);
    expect(reader.client.output().length).toBe(2 ** 20);
    expect(unreadAnswers[1]?.client.closed).toBe(false);
  });
});

describe('endless output', () => {
  test('leaks no memory', async () => {
    let opened: { channel: ServerChannel; output: ChannelOutput } | undefined;
    const port = await serve(
      () => undefined,
      (channel, connection) => (opened = { channel, output: new ChannelOutput(connection, channel) }),
    );
    await exec(port, 2 ** 32 - 1);
    const { channel, output } = await eventually(() => opened, 'a channel');
    const lines = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        output.write(channel, 'a line\n');
        await output.flushed();
      }
    };
    await lines(100);
    const before = queryObjects(Promise, { format: 'count' });
    await lines(2000);
    expect(queryObjects(Promise, { format: 'count' }) - before).toBeLessThan(200);
  });
});

describe('reading from a client', () => {
  function fake(parse: () => void) {
    const socket = Object.assign(new EventEmitter(), {
      paused: false,
      writableLength: 0,
      pause: () => (socket.paused = true),
      resume: () => (socket.paused = false),
    });
    const protocol = { parse };
    paceReading({ _sock: socket, _protocol: protocol } as never);
    return { socket, protocol };
  }

  test('that keeps the event loop busy pauses until the next turn (L31)', async () => {
    let pieces = 0;
    const { socket, protocol } = fake(() => {
      pieces++;
      // Each piece takes 5 ms.
      for (const until = performance.now() + 5; performance.now() < until;);
    });
    while (!socket.paused && pieces < 100) protocol.parse();
    expect(pieces).toBeLessThan(10);
    await eventually(() => (socket.paused ? undefined : true), 'reading to resume', 2000);
    socket.emit('close');
  });

  test('that reads no answers pauses until it has read them, even in a new turn (L4)', async () => {
    const { socket, protocol } = fake(() => {
      socket.writableLength += 100_000;
      for (const until = performance.now() + 6; performance.now() < until;);
    });
    for (let i = 0; i < 3; i++) protocol.parse();
    expect(socket.paused).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(socket.paused).toBe(true);
    socket.writableLength = 0;
    socket.emit('drain');
    expect(socket.paused).toBe(false);
    socket.emit('close');
  });
});
