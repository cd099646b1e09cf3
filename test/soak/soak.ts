/**
 * The server under mixed load and attack: `npm run test:soak -- --minutes 30`. First people alone, then twice the same
 * people under attack.
 *
 * Printed are memory and descriptors of front and core, and what the attack does to one honest admin: p95 of a login
 * with a command and of a keystroke, alone, under attack, and the ratio. Clients, attackers and server share this
 * machine's processors, so the ratio is a bound from above for a server that has some of its own.
 *
 * Memory is told twice: what is alive after a full collection, which is what a leak adds to and what is judged; and
 * what the process holds of the machine, garbage that V8 saw no need to collect included.
 *
 * Ends with 1 where the server died, people were not served, descriptors were not given back, or more was alive after
 * the second attack than after the first. The first also leaves compiled code and what is cached once.
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
import type { Struck } from './attackers.ts';
import { Inspector } from './inspector.ts';
import type { Measured } from './people.ts';

const { values: options } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const minutes = Number(options.minutes);
if (!(minutes > 0)) throw new Error('--minutes takes a number');
const totalMs = minutes * 60_000;

/** Of what is alive. Records of what happened stay in memory and in the journal, which is bounded elsewhere. */
const mostGrowthMiB = 2;
const mostGrowthDescriptors = 2;
/** Of a hundred logins, keys and commands of people. */
const mostFailuresPercent = 1;
/** The longest time for connections to go and garbage to be collected, in milliseconds. */
const settleMs = Math.min(15_000, totalMs / 4);

const problems: string[] = [];

function workers(name: string): { tell: <T>(order: unknown) => Promise<T>; end: () => void } {
  const child: ChildProcess = fork(fileURLToPath(new URL(name, import.meta.url)));
  return {
    tell: <T>(order: unknown) =>
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
  /** Alive after a full collection. */
  readonly liveMiB: number;
  readonly residentMiB: number;
  readonly descriptors: number;
}

const names = ['front', 'core'] as const;
type Both<T> = Readonly<Record<(typeof names)[number], T>>;

/** Looks when the connections have gone; a collection that is forced is not part of what people wait for. */
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
  const told = names.map((name) => {
    const { liveMiB, residentMiB: resident, descriptors } = state[name];
    return `${name} ${liveMiB.toFixed(1)} MiB alive, ${resident.toFixed(0)} MiB resident, ${descriptors} descriptors`;
  });
  console.log(`${title.padEnd(16)} ${told.join('; ')}`);
}

function showPeople(title: string, { loginsMs, keysMs, failures, commands }: Measured): void {
  const done = loginsMs.length + keysMs.length + commands;
  console.log(
    `${title.padEnd(16)} login p50 ${percentile(loginsMs, 50).toFixed(1)} ms, p95 ${percentile(loginsMs, 95).toFixed(1)} ms (${loginsMs.length}); key p50 ${percentile(keysMs, 50).toFixed(1)} ms, p95 ${percentile(keysMs, 95).toFixed(1)} ms (${keysMs.length}); ${commands} other commands; ${failures.length} failures`,
  );
  if (failures.length > 0) console.log(`  ${[...new Set(failures)].slice(0, 5).join('; ')}`);
  if ((failures.length * 100) / Math.max(1, done) > mostFailuresPercent)
    problems.push(`${title}: ${failures.length} of ${done} were not answered`);
}

const folder = await mkdtemp(join(tmpdir(), 'soak-'));
const logFile = join(folder, 'log');
const log = await open(logFile, 'w');
// The attackers come from ever new addresses. What is remembered of those has a limit, which the first attack is to
// reach: then more is a leak.
const server = await startServer(4, { logTo: log.fd, config: 'ssh:\n  penalties:\n    mostSources: 4096\n' });
// One after the other: each opens the port that the other did not take.
const inspectors = { core: await Inspector.of(server.core), front: await Inspector.of(server.front) };
const people = workers('./people.ts');
const attackers = workers('./attackers.ts');
try {
  const [owner = ''] = server.keys.slice(-1);
  console.log(`${minutes} minutes on ${availableParallelism()} processors, shared by server, people and attackers`);
  await people.tell({
    do: 'arrive',
    wish: { port: server.port, keys: server.keys, publicKey: server.publicKey, shells: 6 },
  });
  // What runs for the first time is compiled; nobody is measured by that.
  await people.tell({ do: 'measure', ms: Math.min(5000, totalMs / 10) });
  const quiet = await people.tell<Measured>({ do: 'measure', ms: totalMs * 0.2 });
  showPeople('quiet', quiet);
  const before = await settled(server, inspectors);
  show('quiet', before);

  const rounds: { readonly measured: Measured; readonly after: Both<State> }[] = [];
  for (const title of ['attack 1', 'attack 2']) {
    const most = { front: 0, core: 0 };
    const sampling = setInterval(() => {
      for (const name of names) most[name] = Math.max(most[name], residentMiB(server[name]));
    }, 1000);
    const ms = totalMs * 0.4;
    const [measured, struck] = await Promise.all([
      people.tell<Measured>({ do: 'measure', ms }),
      attackers.tell<Struck>({ do: 'attack', port: server.port, ownerKey: owner, ms }),
    ]).finally(() => clearInterval(sampling));
    showPeople(title, measured);
    console.log(
      `${''.padEnd(16)} ${Object.entries(struck)
        .map(([name, count]) => `${name} ${count}`)
        .join(', ')}`,
    );
    console.log(
      `${''.padEnd(16)} resident at most: front ${most.front.toFixed(0)} MiB, core ${most.core.toFixed(0)} MiB`,
    );
    const after = await settled(server, inspectors);
    show(`after ${title}`, after);
    rounds.push({ measured, after });
    if (!childrenOf(server.core).includes(server.front)) problems.push(`${title}: the front is another process`);
  }

  const [first, second] = rounds;
  if (first !== undefined && second !== undefined) {
    const ratio = (of: (measured: Measured) => readonly number[]): string =>
      (percentile(of(second.measured), 95) / percentile(of(quiet), 95)).toFixed(1);
    console.log(
      `p95 under attack against quiet: login ${ratio(({ loginsMs }) => loginsMs)}, key ${ratio(({ keysMs }) => keysMs)}`,
    );
    for (const name of names) {
      const growthMiB = second.after[name].liveMiB - first.after[name].liveMiB;
      console.log(`${name}: ${growthMiB.toFixed(1)} MiB more alive after the second attack than after the first`);
      if (growthMiB > mostGrowthMiB)
        problems.push(`${name} keeps ${growthMiB.toFixed(1)} MiB more after the second attack`);
      const growthFiles = second.after[name].descriptors - before[name].descriptors;
      if (growthFiles > mostGrowthDescriptors) problems.push(`${name} has ${growthFiles} descriptors more than before`);
    }
  }
  await people.tell({ do: 'leave' });
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
console.log(problems.length === 0 ? '✓ nothing died, nothing leaked' : `${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
