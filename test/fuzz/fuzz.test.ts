/**
 * 100,000 packets before a login and 100,000 after, from fast-check: the front lives, no packet holds up its event loop
 * for more than 50 ms, and afterwards it serves an honest admin with the memory and the descriptors of before.
 *
 *   npm test -- fuzz
 *   FUZZ_SEED=1234 npm test -- fuzz            the packets of that run again
 *   FUZZ_PACKETS=1000000 npm test -- fuzz      more of them
 *
 * What a run found is kept in kept.json, by hand, and tried first in every run.
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
import { loopMs, longestMs, Target, type Outcome } from './target.ts';
import { batchAfterLogin, batchBeforeLogin, openings } from './packets.ts';

const seed = process.env['FUZZ_SEED'] === undefined ? Date.now() % 2 ** 31 : Number(process.env['FUZZ_SEED']);
const wanted = Number(process.env['FUZZ_PACKETS'] ?? 100_000);
const batchSize = 25;

/**
 * What may be alive in the front more at the end of a test than after its first fifth, which compiles and caches what
 * is needed: 2 MiB were seen, and what each of 5,000 connections left behind would be more with 2 KiB. What the process
 * holds is mostly garbage.
 */
const mostGrowthMiB = 8;

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
  // Nobody is shut out here: limits have tests of their own, and would end the connections that the packets are to go
  // through.
  server = await startServer({ config: { ssh: { loginGraceMs: 60_000, maxAuthTries: 100 } } });
  admin = await adminOf(server);
  owner = await makeKey(await temporaryFolder(), 'owner');
  expect((await server.ssh(['create', 'owner'], { stdin: owner.line })).code).toBe(0);
  pid = await frontOf(server);
  inspector = await Inspector.of(pid);
  console.log(`FUZZ_SEED=${seed}`);
});

async function aliveMiB(): Promise<number> {
  return (await inspector.liveBytes()) / 2 ** 20;
}

async function stands(): Promise<void> {
  expect(await frontOf(server), server.log().slice(-3000)).toBe(pid);
  const honest = await server.ssh(['whoami', '--json']);
  expect(honest.code, honest.stderr).toBe(0);
}

/** Runs `take` over batches, those first that found something once. */
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
  const target = new Target(pid, login);
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
      if (settledMiB === 0 && total.packets > wanted / 5) settledMiB = await aliveMiB();
      expect(server.log()).not.toMatch(/"kind":"(uncaught|unhandled)"/);
    });
  } finally {
    await target.end();
  }
  await eventually(
    () => (openDescriptors(pid) <= files + 2 ? true : undefined),
    () => Promise.resolve(`descriptors: ${openDescriptors(pid)}, before: ${files}`),
  );
  const grownMiB = (await aliveMiB()) - settledMiB;
  console.log(
    `${total.packets} packets over ${total.connections} connections in ${((performance.now() - startedMs) / 1000).toFixed(0)} s; the longest batch took ${total.batchMs.toFixed(0)} ms of the event loop; ${settledMiB.toFixed(0)} MiB alive after a fifth of them, ${grownMiB.toFixed(0)} MiB more at the end`,
  );
  expect(grownMiB).toBeLessThan(mostGrowthMiB);
  expect(total.packets).toBeGreaterThanOrEqual(wanted);
}

test('the identification line and the first key exchange', async () => {
  // Each takes a connection of its own, so there are fewer of them.
  await fuzz(openings(), Math.ceil(wanted / 10), kept.openings, async (pieces) => {
    const bytes = Buffer.concat(pieces.map((hex) => Buffer.from(hex, 'hex')));
    const before = loopMs(pid);
    for (let i = 0; i < 3; i++) {
      await opening(bytes);
      // One that is slow by chance gets two more.
      if ((loopMs(pid) - before) / (i + 1) <= longestMs) return;
    }
    throw new Error('an opening holds up the event loop');
  });
  await stands();
}, 900_000);

/** Sends the bytes and hangs up once the server has answered something to them or closed. */
function opening(bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress: anySource(), noDelay: true });
    socket.on('error', () => undefined);
    socket.once('connect', () => socket.end(bytes));
    // The end of the sending half is the end of the connection for the server, after it has read everything.
    socket.resume().once('close', () => resolve());
  });
}

test(`${wanted} packets before a login`, async () => {
  await packets(batchBeforeLogin(batchSize), kept.before, async () => {
    const client = await RawClient.connect(server.port, anySource());
    await client.requestAuthentication();
    return client;
  });
  await stands();
}, 1_000_000);

test(`${wanted} packets after a login`, async () => {
  let logins = 0;
  await packets(batchAfterLogin(batchSize), kept.after, () =>
    ++logins % 2 === 0
      ? RawClient.login(server.port, owner, 'self', anySource())
      : RawClient.login(server.port, admin, 'manage', anySource()),
  );
  await stands();
}, 1_000_000);
