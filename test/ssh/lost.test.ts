/**
 * Clients that are gone or unresponsive: stopped, or reading nothing. The server closes their connections in time, and
 * their operations continue.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Inspector } from '../soak/inspector.ts';
import { adminOf, anySource, frontOf } from '../support/front.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { message, RawClient, string, uint32 } from '../support/rawClient.ts';
import { eventually, temporaryFolder, type TestServer } from '../support/server.ts';
import { startSlowServer } from '../support/slowServer.ts';

let server: TestServer;
let admin: TestKey;
let alice: TestKey;
const stopped: number[] = [];

beforeAll(async () => {
  alice = await makeKey(await temporaryFolder(), 'alice');
  server = await startSlowServer(3000, { user: 'first', line: alice.line });
  admin = await adminOf(server);
});

afterAll(() => {
  for (const pid of stopped) {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // The process has ended.
    }
  }
});

/** Time within which the server must notice that a client is gone, in milliseconds. */
const noticedMs = 60_000;

describe('a client', () => {
  test.concurrent(
    'that is stopped is disconnected within 60 s, and its running change is completed (51)',
    async () => {
      const running = server.startSsh(['create', 'orphan'], { stdin: alice.line });
      let progress = '';
      running.stderr.on('data', (chunk: Buffer) => (progress += chunk.toString()));
      await eventually(() => progress.includes('[1/5] Creating container') || undefined, 'progress');
      const pid = running.pid ?? 0;
      stopped.push(pid);
      process.kill(pid, 'SIGSTOP');
      const stoppedMs = performance.now();
      await eventually(
        () => (/the client no longer answers/.test(server.log()) ? true : undefined),
        'it is closed',
        noticedMs,
      );
      expect(performance.now() - stoppedMs).toBeLessThan(noticedMs);
      expect((await server.ssh(['list', '--user', 'orphan', '--json'])).stdout).toContain('"ready"');
      expect((await server.ssh(['reconcile'])).code).toBe(0);
      process.kill(pid, 'SIGCONT');
      expect((await running).exitCode).toBe(255);
    },
    120_000,
  );

  test.concurrent(
    'that does not read its redrawn shell, with a window of 4 GiB, costs less than 8 MiB and is disconnected (35, L4)',
    async () => {
      const pid = await frontOf(server);
      const client = await RawClient.login(server.port, admin, 'manage', anySource());
      const channel = await client.openShell({ window: 2 ** 32 - 1, columns: 200, rows: 50 });
      // Requests a redraw with each window size, for much more output than the server buffers. Resolves to the live
      // memory at the end.
      let resized = 0;
      const inspector = await Inspector.of(pid);
      const drawMiB = async (forMs: number): Promise<number> => {
        for (const until = performance.now() + forMs; !client.socket.destroyed && performance.now() < until;) {
          client.send(
            message.channelRequest,
            uint32(channel),
            string('window-change'),
            Buffer.from([0]),
            uint32(100 + (resized++ % 200)),
            uint32(40 + (resized % 20)),
            uint32(0),
            uint32(0),
          );
          client.send(message.channelData, uint32(channel), string('x'));
          client.received.length = 0;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        return (await inspector.liveBytes()) / 2 ** 20;
      };
      // Memory for drawing alone, with a client that reads. The heap has grown to its size afterwards.
      const reading = await drawMiB(10_000);
      client.socket.pause();
      const stalled = await drawMiB(10_000);
      expect(stalled - reading).toBeLessThan(8);
      await eventually(
        () => (/"why":"(output was not read|the client no longer answers)"/.test(server.log()) ? true : undefined),
        'it is closed',
        noticedMs,
      );
      client.destroy();
      expect(await frontOf(server)).toBe(pid);
    },
    120_000,
  );
});
