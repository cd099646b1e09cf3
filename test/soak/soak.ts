/**
 * The server under mixed load and attack: `npm run test:soak -- --minutes 30`. First people alone, then twice the same people under attack.
 *
 * Printed are memory and descriptors of front and core, and what the attack does to one honest admin: p95 of a login with a command and of a
 * keystroke, alone, under attack, and the ratio. Clients, attackers and server share this machine's processors, so the ratio is a
 * bound from above for a server that has some of its own.
 *
 * Ends with 1 where the server died, people were not served, descriptors were not given back, or the second attack left more memory behind than
 * the noise of a garbage collector: what the first leaves is also what the heap keeps.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { percentile } from '../bench/shell/figures.ts';
import { childrenOf, openDescriptors, residentMiB } from '../bench/shell/processes.ts';
import { startServer, type BenchServer } from '../bench/shell/server.ts';
import type { Struck } from './attackers.ts';
import type { Measured } from './people.ts';

const { values: options } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const minutes = Number(options.minutes);
if (!(minutes > 0)) throw new Error('--minutes takes a number');
const totalMs = minutes * 60_000;

const mostGrowthMiB = 20;
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
  readonly frontMiB: number;
  readonly coreMiB: number;
  readonly frontFiles: number;
  readonly coreFiles: number;
}

function look({ core, front }: BenchServer): State {
  return { frontMiB: residentMiB(front), coreMiB: residentMiB(core), frontFiles: openDescriptors(front), coreFiles: openDescriptors(core) };
}

/** The least of several looks: garbage is collected when it pleases. */
async function settled(server: BenchServer): Promise<State> {
  let least = look(server);
  for (const until = performance.now() + settleMs; performance.now() < until; ) {
    await pause(500);
    const now = look(server);
    least = {
      frontMiB: Math.min(least.frontMiB, now.frontMiB),
      coreMiB: Math.min(least.coreMiB, now.coreMiB),
      frontFiles: Math.min(least.frontFiles, now.frontFiles),
      coreFiles: Math.min(least.coreFiles, now.coreFiles),
    };
  }
  return least;
}

function show(title: string, state: State): void {
  console.log(`${title.padEnd(16)} front ${state.frontMiB.toFixed(0)} MiB, ${state.frontFiles} descriptors; core ${state.coreMiB.toFixed(0)} MiB, ${state.coreFiles} descriptors`);
}

function showPeople(title: string, { loginsMs, keysMs, failures, commands }: Measured): void {
  const done = loginsMs.length + keysMs.length + commands;
  console.log(
    `${title.padEnd(16)} login p50 ${percentile(loginsMs, 50).toFixed(1)} ms, p95 ${percentile(loginsMs, 95).toFixed(1)} ms (${loginsMs.length}); key p50 ${percentile(keysMs, 50).toFixed(1)} ms, p95 ${percentile(keysMs, 95).toFixed(1)} ms (${keysMs.length}); ${commands} other commands; ${failures.length} failures`,
  );
  if (failures.length > 0) console.log(`  ${[...new Set(failures)].slice(0, 5).join('; ')}`);
  if ((failures.length * 100) / Math.max(1, done) > mostFailuresPercent) problems.push(`${title}: ${failures.length} of ${done} were not answered`);
}

/** MiB an hour, by least squares over what was seen while the load lasted. */
function slope(samples: readonly { readonly atMs: number; readonly miB: number }[]): number {
  const meanAt = samples.reduce((sum, { atMs }) => sum + atMs, 0) / samples.length;
  const mean = samples.reduce((sum, { miB }) => sum + miB, 0) / samples.length;
  const up = samples.reduce((sum, { atMs, miB }) => sum + (atMs - meanAt) * (miB - mean), 0);
  const down = samples.reduce((sum, { atMs }) => sum + (atMs - meanAt) ** 2, 0);
  return down === 0 ? 0 : (up / down) * 3_600_000;
}

const server = await startServer(4);
const people = workers('./people.ts');
const attackers = workers('./attackers.ts');
try {
  const [owner = ''] = server.keys.slice(-1);
  console.log(`${minutes} minutes on ${availableParallelism()} processors, shared by server, people and attackers`);
  await people.tell({ do: 'arrive', wish: { port: server.port, keys: server.keys, publicKey: server.publicKey, shells: 6 } });
  // What runs for the first time is compiled; nobody is measured by that.
  await people.tell({ do: 'measure', ms: Math.min(5000, totalMs / 10) });
  const quiet = await people.tell<Measured>({ do: 'measure', ms: totalMs * 0.2 });
  showPeople('quiet', quiet);
  const before = await settled(server);
  show('quiet', before);

  const rounds: { readonly measured: Measured; readonly after: State }[] = [];
  for (const title of ['attack 1', 'attack 2']) {
    const samples: { atMs: number; frontMiB: number; coreMiB: number }[] = [];
    const sampling = setInterval(() => samples.push({ atMs: performance.now(), frontMiB: residentMiB(server.front), coreMiB: residentMiB(server.core) }), Math.min(1000, totalMs / 100));
    const ms = totalMs * 0.4;
    const [measured, struck] = await Promise.all([people.tell<Measured>({ do: 'measure', ms }), attackers.tell<Struck>({ do: 'attack', port: server.port, ownerKey: owner, ms })]).finally(() => clearInterval(sampling));
    showPeople(title, measured);
    console.log(`${''.padEnd(16)} ${Object.entries(struck).map(([name, count]) => `${name} ${count}`).join(', ')}`);
    const later = samples.slice(Math.floor(samples.length / 2));
    console.log(`${''.padEnd(16)} at most front ${Math.max(...samples.map(({ frontMiB }) => frontMiB)).toFixed(0)} MiB, core ${Math.max(...samples.map(({ coreMiB }) => coreMiB)).toFixed(0)} MiB; second half: front ${slope(later.map(({ atMs, frontMiB }) => ({ atMs, miB: frontMiB }))).toFixed(0)} MiB/h, core ${slope(later.map(({ atMs, coreMiB }) => ({ atMs, miB: coreMiB }))).toFixed(0)} MiB/h`);
    const after = await settled(server);
    show(`after ${title}`, after);
    rounds.push({ measured, after });
    if (!childrenOf(server.core).includes(server.front)) problems.push(`${title}: the front is another process`);
  }

  const [first, second] = rounds;
  if (first !== undefined && second !== undefined) {
    const ratio = (of: (measured: Measured) => readonly number[]): string => (percentile(of(second.measured), 95) / percentile(of(quiet), 95)).toFixed(1);
    console.log(`p95 under attack against quiet: login ${ratio(({ loginsMs }) => loginsMs)}, key ${ratio(({ keysMs }) => keysMs)}`);
    for (const name of ['front', 'core'] as const) {
      const growthMiB = second.after[`${name}MiB`] - first.after[`${name}MiB`];
      console.log(`${name}: ${growthMiB.toFixed(1)} MiB more after the second attack than after the first`);
      if (growthMiB > mostGrowthMiB) problems.push(`${name} keeps ${growthMiB.toFixed(0)} MiB more after the second attack`);
      const growthFiles = second.after[`${name}Files`] - before[`${name}Files`];
      if (growthFiles > mostGrowthDescriptors) problems.push(`${name} has ${growthFiles} descriptors more than before`);
    }
  }
  await people.tell({ do: 'leave' });
} catch (error) {
  problems.push(error instanceof Error ? error.message : String(error));
} finally {
  people.end();
  attackers.end();
  await server.stop();
}
for (const problem of problems) console.log(`✗ ${problem}`);
console.log(problems.length === 0 ? '✓ nothing died, nothing leaked' : `${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
