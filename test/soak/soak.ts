/**
 * Runs the server under load and attack: `npm run test:soak -- --minutes 30`. The users run alone first, then under two
 * attacks.
 *
 * Prints the memory and the descriptors of front and core, and the effect of the attack on an admin: the p95 of a login
 * with a command and of a keystroke, alone and under attack, and their ratio. Clients, attackers and server share the
 * processors of this machine, so the ratio is an upper bound for a server with processors of its own.
 *
 * Memory is measured twice. Live memory, after a full garbage collection, shows leaks and is judged. Resident memory
 * includes garbage that V8 has not collected.
 *
 * Exits with 1 if the server died, users were not served, descriptors leaked, or live memory grew from the first attack
 * to the second. The first attack compiles code and fills caches.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { percentile } from '../bench/shell/figures.ts';
import { childrenOf, openDescriptors, residentMiB } from '../bench/shell/processes.ts';
import { startServer, type BenchServer } from '../bench/shell/server.ts';
import type { AttackCounts } from './attackers.ts';
import { Inspector } from './inspector.ts';
import type { Measured } from './people.ts';

const { values: options } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const minutes = Number(options.minutes);
if (!(minutes > 0)) throw new Error('--minutes takes a positive number');
const totalMs = minutes * 60_000;

/** Maximum growth of live memory. It includes records of events, which have a limit of their own. */
const maxGrowthMiB = 2;
const maxGrowthDescriptors = 2;
/** Maximum percentage of logins, keys and commands of users that may fail. */
const maxFailuresPercent = 1;
/** How long closed connections may take to be cleaned up, in milliseconds. */
const settleMs = Math.min(15_000, totalMs / 4);

const problems: string[] = [];

function workers(name: string): { send: <T>(order: unknown) => Promise<T>; end: () => void } {
  const child: ChildProcess = fork(fileURLToPath(new URL(name, import.meta.url)));
  return {
    send: <T>(order: unknown) =>
      new Promise<T>((resolve, reject) => {
        child.once('message', (message: { answer?: T; error?: string }) => {
          if (message.error === undefined) resolve(message.answer as T);
          else reject(new Error(message.error));
        });
        child.send(order as object);
      }),
    end: () => child.disconnect(),
  };
}

interface State {
  readonly liveMiB: number;
  readonly residentMiB: number;
  readonly descriptors: number;
}

const names = ['front', 'core'] as const;
type Both<T> = Readonly<Record<(typeof names)[number], T>>;

/** Measures front and core after a pause, so that the forced garbage collection delays no user who is measured. */
async function settled(server: BenchServer, inspectors: Both<Inspector>): Promise<Both<State>> {
  await pause(settleMs);
  const look = async (name: (typeof names)[number]): Promise<State> => {
    const resident = residentMiB(server[name]);
    const liveMiB = (await inspectors[name].liveBytes()) / 2 ** 20;
    return { liveMiB, residentMiB: resident, descriptors: openDescriptors(server[name]) };
  };
  return { front: await look('front'), core: await look('core') };
}

function show(title: string, state: Both<State>): void {
  const parts = names.map((name) => {
    const { liveMiB, residentMiB: resident, descriptors } = state[name];
    return `${name} ${liveMiB.toFixed(1)} MiB live, ${resident.toFixed(0)} MiB resident, ${descriptors} descriptors`;
  });
  console.log(`${title.padEnd(16)} ${parts.join('; ')}`);
}

function showPeople(title: string, { loginsMs, keysMs, failures, commands }: Measured): void {
  const done = loginsMs.length + keysMs.length + commands;
  console.log(
    `${title.padEnd(16)} login p50 ${percentile(loginsMs, 50).toFixed(1)} ms, p95 ${percentile(loginsMs, 95).toFixed(1)} ms (${loginsMs.length}); key p50 ${percentile(keysMs, 50).toFixed(1)} ms, p95 ${percentile(keysMs, 95).toFixed(1)} ms (${keysMs.length}); ${commands} other commands; ${failures.length} failures`,
  );
  if (failures.length > 0) console.log(`  ${[...new Set(failures)].slice(0, 5).join('; ')}`);
  if ((failures.length * 100) / Math.max(1, done) > maxFailuresPercent)
    problems.push(`${title}: ${failures.length} of ${done} logins, keys and commands failed`);
}

const folder = await mkdtemp(join(tmpdir(), 'soak-'));
const logFile = join(folder, 'log');
const log = await open(logFile, 'w');
// The attackers use ever new addresses. The limit on remembered addresses is low enough for the first attack to reach
// it, so that any later growth is a leak.
const server = await startServer(4, { logTo: log.fd, config: 'ssh:\n  penalties:\n    mostSources: 4096\n' });
// One after the other, so that the new port of each process can be told apart.
const inspectors = { core: await Inspector.of(server.core), front: await Inspector.of(server.front) };
const people = workers('./people.ts');
const attackers = workers('./attackers.ts');
try {
  const [owner = ''] = server.keys.slice(-1);
  console.log(`${minutes} minutes on ${availableParallelism()} processors, shared by server, users and attackers`);
  await people.send({
    do: 'arrive',
    setup: { port: server.port, keys: server.keys, publicKey: server.publicKey, shells: 6 },
  });
  // Warm-up: code is compiled when it runs for the first time.
  await people.send({ do: 'measure', ms: Math.min(5000, totalMs / 10) });
  const quiet = await people.send<Measured>({ do: 'measure', ms: totalMs * 0.2 });
  showPeople('quiet', quiet);
  const before = await settled(server, inspectors);
  show('quiet', before);

  const rounds: { readonly measured: Measured; readonly after: Both<State> }[] = [];
  for (const title of ['attack 1', 'attack 2']) {
    const peak = { front: 0, core: 0 };
    const sampling = setInterval(() => {
      for (const name of names) peak[name] = Math.max(peak[name], residentMiB(server[name]));
    }, 1000);
    const ms = totalMs * 0.4;
    const [measured, counts] = await Promise.all([
      people.send<Measured>({ do: 'measure', ms }),
      attackers.send<AttackCounts>({ do: 'attack', port: server.port, ownerKey: owner, ms }),
    ]).finally(() => clearInterval(sampling));
    showPeople(title, measured);
    console.log(
      `${''.padEnd(16)} ${Object.entries(counts)
        .map(([name, count]) => `${name} ${count}`)
        .join(', ')}`,
    );
    console.log(
      `${''.padEnd(16)} peak resident memory: front ${peak.front.toFixed(0)} MiB, core ${peak.core.toFixed(0)} MiB`,
    );
    const after = await settled(server, inspectors);
    show(`after ${title}`, after);
    rounds.push({ measured, after });
    if (!childrenOf(server.core).includes(server.front)) problems.push(`${title}: the front was restarted`);
  }

  const [first, second] = rounds;
  if (first !== undefined && second !== undefined) {
    const ratio = (of: (measured: Measured) => readonly number[]): string =>
      (percentile(of(second.measured), 95) / percentile(of(quiet), 95)).toFixed(1);
    console.log(
      `p95 under attack relative to quiet: login ${ratio(({ loginsMs }) => loginsMs)}, key ${ratio(({ keysMs }) => keysMs)}`,
    );
    for (const name of names) {
      const growthMiB = second.after[name].liveMiB - first.after[name].liveMiB;
      console.log(`${name}: live memory grew by ${growthMiB.toFixed(1)} MiB from the first attack to the second`);
      if (growthMiB > maxGrowthMiB) problems.push(`${name}: live memory grew by ${growthMiB.toFixed(1)} MiB`);
      const growthFiles = second.after[name].descriptors - before[name].descriptors;
      if (growthFiles > maxGrowthDescriptors) problems.push(`${name} leaks ${growthFiles} descriptors`);
    }
  }
  await people.send({ do: 'leave' });
} catch (error) {
  problems.push(error instanceof Error ? error.message : String(error));
} finally {
  people.end();
  attackers.end();
  for (const inspector of Object.values(inspectors)) inspector.close();
  await server.stop();
}
const lines = readFileSync(logFile, 'utf8').split('\n').slice(0, -1);
const errors = lines.filter((line) => /"level":"(error|fatal)"/.test(line));
console.log(`The server logged ${lines.length} lines, ${errors.length} of them errors`);
if (errors.length > 0) problems.push(`the server's first error: ${errors[0] ?? ''}`);
await log.close();
await rm(folder, { recursive: true });
for (const problem of problems) console.log(`✗ ${problem}`);
console.log(problems.length === 0 ? '✓ no crash, no leak' : `${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
