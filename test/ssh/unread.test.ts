/** Clients that do not read: after a time, or with too much unread output, their connection ends with a reason. */
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { adminOf, anySource, frontOf } from '../support/front.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { message, RawClient, string, stringAt, uint32 } from '../support/rawClient.ts';
import { Inspector } from '../soak/inspector.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';

let alice: TestKey;
let bob: TestKey;

beforeAll(async () => {
  const folder = await temporaryFolder();
  [alice, bob] = await Promise.all([makeKey(folder, 'alice'), makeKey(folder, 'bob')]);
});

function reasonOf(client: RawClient): string {
  const told = client.received.find(([type]) => type === message.disconnect);
  return told === undefined ? 'nothing' : stringAt(told, 5).toString();
}

/** Returns the text of a channel of the client. `at` is where the text is in its messages. */
function textOf(client: RawClient, type: number, id: number, at: number): string {
  const messages = client.received.filter((packet) => packet[0] === type && packet.readUInt32BE(1) === id);
  return Buffer.concat(messages.map((packet) => stringAt(packet, at))).toString();
}

/** Begins a command whose client takes no output. */
async function withoutWindow(client: RawClient, command: string, id = 0): Promise<number> {
  const channel = await client.openSession({ id, window: 0 });
  await client.granted(channel, 'exec', string(command));
  return channel;
}

/** How long a slow reader pauses between two pieces, in milliseconds: its slowness is what is tested. */
const slowReaderMs = 300;

describe('with a time limit of 4 seconds', () => {
  let server: TestServer;
  let admin: TestKey;

  beforeAll(async () => {
    server = await startServer({ config: { ssh: { unreadMs: 4000, unusedMs: 0 } } });
    admin = await adminOf(server);
  });

  test('a client that takes nothing is disconnected with the reason, and what it began is completed', async () => {
    const client = await RawClient.login(server.port, admin);
    await withoutWindow(client, `create alice --ssh-key '${alice.line.trim()}'`);
    await client.ends();
    expect(reasonOf(client)).toBe('none of the waiting output was read for 4 seconds');
    await eventually(
      async () => ((await server.ssh(['info', 'alice'])).code === 0 ? true : undefined),
      'the container of alice',
    );
  });

  test('a client that reads after the time limit, before the connection is closed, loses nothing', async () => {
    const { stdout } = await server.ssh(['help']);
    const client = await RawClient.login(server.port, admin);
    const unread = await withoutWindow(client, 'help', 1);
    // A session that has a window is told first. This one waits for input.
    const waiting = await client.openSession({ id: 2 });
    await client.granted(waiting, 'exec', string('create dave'));
    await eventually(
      () =>
        textOf(client, message.channelExtendedData, 2, 9).includes('The session ends: none of') ? true : undefined,
      'the reason in the other session',
    );
    client.send(message.channelWindowAdjust, uint32(unread), uint32(2 ** 20));
    await eventually(() => (textOf(client, message.channelData, 1, 5) === stdout ? true : undefined), 'all output');
    client.destroy();
  });

  test('a client that reads slowly gets everything, however long it takes', async () => {
    const { stdout } = await server.ssh(['help']);
    const client = await RawClient.login(server.port, admin);
    const channel = await withoutWindow(client, 'help');
    const beganMs = performance.now();
    const piece = Math.ceil(Buffer.byteLength(stdout) / 30);
    while (Buffer.byteLength(client.output()) < Buffer.byteLength(stdout)) {
      expect(client.closed, reasonOf(client)).toBe(false);
      client.send(message.channelWindowAdjust, uint32(channel), uint32(piece));
      await setTimeout(slowReaderMs);
    }
    // Longer than the limit, without which this test shows nothing.
    expect(performance.now() - beganMs).toBeGreaterThan(4000);
    expect(await client.exitStatus()).toBe(0);
    expect(client.output()).toBe(stdout);
    client.destroy();
  });

  test('a client that waits for output is not disconnected', async () => {
    const client = await RawClient.login(server.port, admin);
    const channel = await client.openSession({});
    await client.granted(channel, 'exec', string('logs --follow'));
    // One that takes nothing of its output meets the limit, and begins later.
    const stuck = await RawClient.login(server.port, admin);
    await withoutWindow(stuck, 'help');
    await eventually(() => (stuck.closed ? true : undefined), 'the end of the one that takes nothing');
    expect(client.closed).toBe(false);
    client.destroy();
  });
});

// A thousand answers take their time on a busy machine.
test(
  'a person whose clients read nothing fills no memory, is told why, and disturbs nobody (L4)',
  { timeout: 240_000 },
  async () => {
    const server = await startServer();
    expect(await server.ssh(['create', 'bob'], { stdin: bob.line })).toMatchObject({ code: 0 });
    const admin = await adminOf(server);
    const pid = await frontOf(server);
    const inspector = await Inspector.of(pid);
    const before = await inspector.liveBytes();
    const { stdout } = await server.ssh(['help', '--json']);
    const wanted = (1.25 * 96 * 2 ** 20) / Buffer.byteLength(stdout);
    const clients: RawClient[] = [];
    for (let begun = 0; begun < wanted; begun += 10)
      clients.push(await RawClient.login(server.port, admin, 'manage', anySource()));
    // Each connection has its share of the event loop, so many at a time are faster.
    for (let at = 0; at < clients.length; at += 20)
      await Promise.all(
        clients.slice(at, at + 20).map(async (client) => {
          for (let id = 0; id < 10; id++) await withoutWindow(client, 'help --json', id);
        }),
      );
    await Promise.race(clients.map((client) => client.ends()));
    expect(clients.map(reasonOf).find((reason) => reason !== 'nothing')).toBe(
      '97 MiB of output are unread: read them, or close the connections',
    );
    expect(clients.at(-1)?.closed).toBe(false);
    expect((await inspector.liveBytes()) - before).toBeLessThan(150 * 2 ** 20);
    for (const options of [{}, { user: 'self', key: bob.path }])
      expect(await server.ssh(['whoami'], options)).toMatchObject({ code: 0 });
    expect(await frontOf(server)).toBe(pid);
    for (const client of clients) client.destroy();
  },
);
