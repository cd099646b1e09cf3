/**
 * Sends packets from fast-check before a login and after one. The front must survive, no packet may block its event
 * loop for more than 50 ms, and the front must serve an admin afterwards, with as much memory and as many descriptors
 * as before.
 *
 *   npm test -- fuzz
 *   FUZZ_SEED=1234 npm test -- fuzz            repeats the packets of a run
 *   FUZZ_PACKETS=1000000 npm test -- fuzz      sends more packets
 *
 * Packets that have found a bug are added to kept.json by hand. Every run sends them first.
 */
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { openDescriptors } from '../bench/shell/processes.ts';
import { Inspector } from '../soak/inspector.ts';
import { adminOf, anySource, frontOf } from '../support/front.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { RawClient } from '../support/rawClient.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { loopMs, maxTurnMs } from './eventLoop.ts';
import { Target, type Outcome } from './target.ts';
import { TurnMeter } from './turnMeter.ts';
import { batchAfterLogin, batchBeforeLogin, openings } from './packets.ts';

const seed = process.env['FUZZ_SEED'] === undefined ? Date.now() % 2 ** 31 : Number(process.env['FUZZ_SEED']);
const wanted = Number(process.env['FUZZ_PACKETS'] ?? 20_000);
const batchSize = 25;

/**
 * Maximum growth of live memory in the front, from the first fifth of a test to its end. The first fifth compiles code
 * and fills caches. With 100,000 packets, 2 MiB were measured, and a leak of 2 KiB for each of the 5,000 connections
 * would exceed the limit. Resident memory is no measure, because most of it is garbage.
 */
const maxGrowthMiB = 8;

interface Kept {
  readonly before: string[][];
  readonly after: string[][];
  readonly openings: string[][];
}

let server: TestServer;
let pid: number;
let inspector: Inspector;
let owner: TestKey;
let admin: TestKey;
let kept: Kept;

beforeAll(async () => {
  kept = JSON.parse(await readFile(new URL('kept.json', import.meta.url), 'utf8')) as Kept;
  // Limits have tests of their own. Here they would close the connections that carry the packets.
  server = await startServer({ config: { ssh: { loginGraceMs: 60_000, maxAuthTries: 100 } } });
  admin = await adminOf(server);
  owner = await makeKey(await temporaryFolder(), 'owner');
  expect((await server.ssh(['create', 'owner'], { stdin: owner.line })).code).toBe(0);
  pid = await frontOf(server);
  inspector = await Inspector.of(pid);
  console.log(`FUZZ_SEED=${seed}`);
});

async function liveMiB(): Promise<number> {
  return (await inspector.liveBytes()) / 2 ** 20;
}

async function expectServing(): Promise<void> {
  expect(await frontOf(server), server.log().slice(-3000)).toBe(pid);
  const answer = await server.ssh(['whoami', '--json']);
  expect(answer.code, answer.stderr).toBe(0);
}

/** Passes batches to `take`, beginning with those from kept.json. */
async function fuzz(
  batches: fc.Arbitrary<string[]>,
  runs: number,
  examples: string[][],
  take: (batch: string[]) => Promise<void>,
): Promise<void> {
  await fc.assert(fc.asyncProperty(batches, take), {
    seed,
    numRuns: runs + examples.length,
    examples: examples.map((batch): [string[]] => [batch]),
    interruptAfterTimeLimit: 900_000,
    markInterruptAsFailure: true,
  });
}

async function packets(
  batches: fc.Arbitrary<string[]>,
  examples: string[][],
  login: () => Promise<RawClient>,
): Promise<void> {
  const target = new Target(pid, new TurnMeter(inspector), login);
  const total = { packets: 0, connections: 0, batchMs: 0 };
  const add = (outcome: Outcome): void => {
    total.packets += outcome.packets;
    total.connections += outcome.connections;
    total.batchMs = Math.max(total.batchMs, outcome.batchMs);
  };
  const startedMs = performance.now();
  const files = openDescriptors(pid);
  let settledMiB = 0;
  try {
    await fuzz(batches, Math.ceil(wanted / batchSize), examples, async (batch) => {
      add(await target.take(batch));
      if (settledMiB === 0 && total.packets > wanted / 5) settledMiB = await liveMiB();
      expect(server.log()).not.toMatch(/"kind":"(uncaught|unhandled)"/);
    });
  } finally {
    await target.end();
  }
  await eventually(
    () => (openDescriptors(pid) <= files + 2 ? true : undefined),
    () => Promise.resolve(`descriptors: ${openDescriptors(pid)}, before: ${files}`),
  );
  const grownMiB = (await liveMiB()) - settledMiB;
  console.log(
    `${total.packets} packets over ${total.connections} connections in ${((performance.now() - startedMs) / 1000).toFixed(0)} s; the longest batch took ${total.batchMs.toFixed(0)} ms of the event loop; ${settledMiB.toFixed(0)} MiB live after a fifth of the packets, ${grownMiB.toFixed(0)} MiB more at the end`,
  );
  expect(grownMiB).toBeLessThan(maxGrowthMiB);
  expect(total.packets).toBeGreaterThanOrEqual(wanted);
}

test('the front survives any identification line and first key exchange', async () => {
  // Each opening needs a connection, so there are fewer openings than packets.
  await fuzz(openings(), Math.ceil(wanted / 10), kept.openings, async (pieces) => {
    const bytes = Buffer.concat(pieces.map((hex) => Buffer.from(hex, 'hex')));
    const before = loopMs(pid);
    for (let i = 0; i < 3; i++) {
      await opening(bytes);
      // An opening that is slow by chance gets two more attempts.
      if ((loopMs(pid) - before) / (i + 1) <= maxTurnMs) return;
    }
    throw new Error('an opening blocks the event loop');
  });
  await expectServing();
}, 900_000);

/** Sends an opening and half-closes the connection. Resolves when the connection is closed. */
function opening(bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress: anySource(), noDelay: true });
    socket.on('error', () => undefined);
    socket.once('connect', () => socket.end(bytes));
    // When the server has read everything, the half-close ends the connection.
    socket.resume().once('close', () => resolve());
  });
}

test(`the front survives ${wanted} packets before a login`, async () => {
  await packets(batchBeforeLogin(batchSize), kept.before, async () => {
    const client = await RawClient.connect(server.port, anySource());
    await client.requestAuthentication();
    return client;
  });
  await expectServing();
}, 1_000_000);

test(`the front survives ${wanted} packets after a login`, async () => {
  let logins = 0;
  await packets(batchAfterLogin(batchSize), kept.after, () =>
    ++logins % 2 === 0
      ? RawClient.login(server.port, owner, 'self', anySource())
      : RawClient.login(server.port, admin, 'manage', anySource()),
  );
  await expectServing();
}, 1_000_000);
