/**
 * Measures how quickly the program starts, and what it keeps in memory before the first session: `npm run bench:start`.
 * `-- --rounds 10` sets the number of rounds.
 *
 * Everything runs in turns and in one run, beside bare Node.js processes: only what lies above those is the program's.
 * Processor time is that of the processes themselves, so it depends less on other work than the time on the clock.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { connect, milliseconds, openShell, run as runOver } from './list/connection.ts';
import { median, show, type Figure } from './shell/figures.ts';
import { childrenOf, childrensCpuMs, cpuMs, proportionalMiB } from './shell/processes.ts';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '10' } } });
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a positive integer');

const targets = { commandMs: 100, listeningMs: 600, nextLoginMs: 400, memoryMiB: 95 };

/**
 * How long a front lives before it is killed, in milliseconds: core waits ever longer before it restarts one that dies
 * soon after its start (src/core/processes/watchedProcess.ts).
 */
const settledMs = 31_000;
const maxKills = 5;

/** How long a process is left alone before its memory is measured, in milliseconds. */
const restMs = 4000;

const run = promisify(execFile);
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'start-bench-'));
const home = join(folder, 'home');
await mkdir(join(folder, 'empty'));
const env = {
  PATH: process.env['PATH'] ?? '',
  HOME: join(folder, 'empty'),
  USER: 'bench',
  CONTAINARIUM_HOME: home,
  CONTAINARIUM_HOST: 'simulated',
  CONTAINARIUM_LISTEN: '127.0.0.1:0',
};

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  /** From the start of the process until its banner says where it listens. */
  readonly listeningMs: number;
}

async function start(): Promise<Started> {
  const begun = performance.now();
  const child = spawn(process.execPath, [main, 'serve'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve, reject) => {
    let banner = '';
    child.stdout.on('data', (chunk: Buffer) => {
      banner += chunk.toString();
      const port = /^Listening: 127\.0\.0\.1:(\d+)$/m.exec(banner)?.[1];
      if (port !== undefined) resolve({ child, port: Number(port), listeningMs: performance.now() - begun });
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${String(code)}`)));
  });
}

async function stop({ child }: Pick<Started, 'child'>): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** Waits for the front of a server, and returns its process ID. */
async function frontOf({ child: { pid = -1 } }: Started, but?: number): Promise<number> {
  for (;;) {
    const front = childrenOf(pid).find((each) => each !== but);
    if (front !== undefined) return front;
    await pause(1);
  }
}

function report(figure: Figure): void {
  console.log(show(figure));
}

/** Measures several programs in turns. */
async function measureCommands(commands: Readonly<Record<string, readonly string[]>>): Promise<void> {
  const all = new Map(Object.keys(commands).map((name) => [name, { wall: [] as number[], cpu: [] as number[] }]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, args] of Object.entries(commands)) {
      const cpuBefore = childrensCpuMs();
      const begun = performance.now();
      await run(process.execPath, [...args], { env });
      all.get(name)?.wall.push(performance.now() - begun);
      all.get(name)?.cpu.push(childrensCpuMs() - cpuBefore);
    }
  }
  const mean = (times: readonly number[]): number => times.reduce((sum, each) => sum + each, 0) / times.length;
  const floor = median(all.get('bare Node.js')?.wall ?? []);
  for (const [name, { wall, cpu }] of all) {
    const judged = name.startsWith('containarium') ? { target: targets.commandMs, floor } : {};
    report({ what: `${name}, start to end, p50`, value: median(wall), unit: 'ms', ...judged });
    // The kernel counts it in ticks, so the mean says more than the median.
    report({ what: `${name}, processor time, mean`, value: mean(cpu), unit: 'ms' });
  }
}

async function measureListening(): Promise<void> {
  const took: number[] = [];
  const bare: number[] = [];
  const cpu: number[] = [];
  const shells: number[] = [];
  const others: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    await run(process.execPath, ['-e', '0'], { env });
    bare.push(performance.now() - begun);
    const server = await start();
    took.push(server.listeningMs);
    cpu.push(cpuMs(server.child.pid ?? -1) + cpuMs(await frontOf(server)));
    const first = await openFirstShell(server.port);
    shells.push(first.openMs);
    others.push(first.otherMs);
    await stop(server);
  }
  report({
    what: 'server, from its start until it listens, p50',
    value: median(took),
    unit: 'ms',
    target: targets.listeningMs,
    floor: median(bare),
  });
  report({ what: 'until then, processor time of core and front, p50', value: median(cpu), unit: 'ms' });
  report({ what: 'the first shell of its front, until the prompt, p50', value: median(shells), unit: 'ms' });
  report({ what: 'the slowest whoami of another login meanwhile, p50', value: median(others), unit: 'ms' });
}

/** Opens the first shell of a front, for which it loads Ink, while another login runs a command after the other. */
async function openFirstShell(port: number): Promise<{ readonly openMs: number; readonly otherMs: number }> {
  const key = join(home, 'keys', 'admin_ed25519');
  const [one, other] = [await connect(port, key), await connect(port, key)];
  const whoami = (): Promise<number> => milliseconds(() => runOver(other, 'whoami'));
  // Code that runs for the first time is slow.
  for (let times = 0; times < 20; times++) await whoami();
  let isOpen = false;
  let otherMs = 0;
  const beside = (async () => {
    while (!isOpen) otherMs = Math.max(otherMs, await whoami());
  })();
  const openMs = await milliseconds(() => openShell(one)).finally(() => (isOpen = true));
  await beside;
  for (const client of [one, other]) client.end();
  return { openMs, otherMs };
}

/** Measures a login, and one that begins when the front is killed, with the stock ssh client. */
async function measureNextLogin(server: Started): Promise<void> {
  const ssh = ['-F', '/dev/null', '-p', `${server.port}`, '-i', join(home, 'keys', 'admin_ed25519')];
  const settings = ['IdentitiesOnly=yes', 'BatchMode=yes', 'StrictHostKeyChecking=no', 'LogLevel=ERROR'];
  const hosts = ['-o', `UserKnownHostsFile=${join(folder, 'known_hosts')}`];
  const args = [...ssh, ...settings.flatMap((setting) => ['-o', setting]), ...hosts, 'manage@127.0.0.1', 'version'];
  const login = async (): Promise<number> => {
    const begun = performance.now();
    await run('ssh', args, { env });
    return performance.now() - begun;
  };
  await login();
  const usual: number[] = [];
  const next: number[] = [];
  for (let round = 0; round < Math.min(rounds, maxKills); round++) {
    await pause(settledMs);
    usual.push(await login());
    const front = await frontOf(server);
    process.kill(front, 'SIGKILL');
    next.push(await login());
  }
  report({ what: 'a login with one command, p50', value: median(usual), unit: 'ms' });
  report({
    what: 'the same, begun when the front is killed, p50',
    value: median(next),
    unit: 'ms',
    target: targets.nextLoginMs,
    floor: median(usual),
  });
}

async function measureMemory(server: Started): Promise<void> {
  const idle = (): ChildProcess =>
    spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1e6)'], { env, stdio: 'ignore' });
  const bare = [idle(), idle()];
  await pause(restMs);
  const front = proportionalMiB(await frontOf(server));
  const core = proportionalMiB(server.child.pid ?? -1);
  const floor = bare.reduce((sum, { pid = -1 }) => sum + proportionalMiB(pid), 0);
  for (const each of bare) each.kill('SIGKILL');
  report({ what: 'two bare Node.js processes, PSS', value: floor, unit: 'MiB' });
  report({ what: 'front, PSS', value: front, unit: 'MiB' });
  report({ what: 'core, PSS', value: core, unit: 'MiB' });
  report({ what: 'front and core, PSS', value: front + core, unit: 'MiB', target: targets.memoryMiB });
  report({ what: 'front and core above the bare processes', value: front + core - floor, unit: 'MiB' });
}

console.log(
  `Node.js ${process.versions.node}, ${availableParallelism()} CPUs, load average ${(loadavg()[0] ?? 0).toFixed(1)}; ${rounds} rounds`,
);
try {
  // The first start makes keys.
  const server = await start();
  console.log('\nBefore the first session, on the simulated host');
  await measureMemory(server);
  console.log('\nThe command line on the host');
  await measureCommands({
    'bare Node.js': ['-e', '0'],
    'containarium version': [main, 'version'],
    'containarium help': [main, 'help'],
    'containarium list': [main, 'list'],
  });
  console.log('\nA login');
  await measureNextLogin(server);
  await stop(server);
  console.log('\nThe server');
  await measureListening();
} finally {
  await rm(folder, { recursive: true, force: true });
}
