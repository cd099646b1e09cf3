/**
 * Measures what one admin notices of others: `npm run bench:fairness`, as root. Options: --admins 50 --commands 20
 * --rounds 5 --containers 50 --pause 100. Every admin but one runs commands over a connection of their own, all at the
 * same time: `list` and `whoami` in turns (fairness/load.ts), and that in several rounds. The last one runs `whoami`
 * and types in a shell, with --pause milliseconds after each answer, before and meanwhile; the ratio counts. The server
 * is real, and its Incus is the bench's own (list/incusApi.ts).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { connect, milliseconds, openShell, press, run } from './list/connection.ts';
import { startIncusApi } from './list/incusApi.ts';
import { median, percentile } from './shell/figures.ts';
import { cpuMs } from './shell/processes.ts';
import { startServer } from './shell/server.ts';

const { values: options } = parseArgs({
  options: {
    admins: { type: 'string', default: '50' },
    commands: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '5' },
    containers: { type: 'string', default: '50' },
    pause: { type: 'string', default: '100' },
  },
});
const {
  admins,
  commands,
  rounds,
  containers,
  pause: pauseMs,
} = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, Number(value)])) as Readonly<
  Record<keyof typeof options, number>
>;
if (![admins, commands, rounds, containers, pauseMs].every((number) => Number.isInteger(number) && number > 0))
  throw new Error('--admins, --commands, --rounds, --containers and --pause take an integer each');

function compare(what: string, before: readonly number[], meanwhile: readonly number[]): void {
  const show = (times: readonly number[]): string =>
    `p50 ${median(times).toFixed(1)}, p95 ${percentile(times, 95).toFixed(1)} ms`;
  const ratio = percentile(meanwhile, 95) / percentile(before, 95);
  console.log(
    `${what}: quiet ${show(before)}; meanwhile ${show(meanwhile)}, ${ratio.toFixed(1)} x (${meanwhile.length} times)`,
  );
}

const folder = await mkdtemp(join(tmpdir(), 'fairness-bench-'));
const socket = join(folder, 'unix.socket');
const api = await startIncusApi(socket, containers);
const server = await startServer(admins + 1, {
  logTo: 'ignore',
  env: { INCUS_SOCKET: socket, CONTAINARIUM_HOST: 'incus' },
});
try {
  const [key, ...others] = server.keys;
  const alone = await connect(server.port, key ?? '');
  const whoami = async (until: () => boolean): Promise<number[]> => {
    const times: number[] = [];
    while (!until()) {
      times.push(await milliseconds(() => run(alone, 'whoami')));
      await pause(pauseMs);
    }
    return times;
  };
  const shell = await openShell(await connect(server.port, key ?? ''));
  const type = async (until: () => boolean): Promise<number[]> => {
    const times: number[] = [];
    // Every second key deletes the one before.
    while (!until()) {
      times.push(await milliseconds(() => press(shell, times.length % 2 === 0 ? 'x' : '\x7f')));
      await pause(pauseMs);
    }
    return times;
  };
  const load = spawn(
    process.execPath,
    [fileURLToPath(new URL('fairness/load.ts', import.meta.url)), String(server.port), options.commands, ...others],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: load.stdout });
  const ended = once(load, 'exit');
  /** Resolves when the others have got their answers. */
  const answered = async (): Promise<void> => {
    await Promise.race([once(lines, 'line'), ended.then(() => Promise.reject(new Error('the others have ended')))]);
  };
  await answered();
  let count = 0;
  await Promise.all([whoami(() => count++ >= 20), type(() => count >= 20)]);
  count = 0;
  const [quiet, quietKeys] = await Promise.all([whoami(() => count++ >= 100), type(() => count >= 100)]);
  const before = { front: cpuMs(server.front), core: cpuMs(server.core) };
  const beside: number[] = [];
  const besideKeys: number[] = [];
  let busyMs = 0;
  for (let round = 0; round < rounds; round++) {
    let isOver = false;
    const begunMs = performance.now();
    load.stdin.write('again\n');
    const all = answered().then(() => {
      busyMs += performance.now() - begunMs;
      isOver = true;
    });
    const [times, keys] = await Promise.all([whoami(() => isOver), type(() => isOver), all]);
    beside.push(...times);
    besideKeys.push(...keys);
  }
  const total = admins * commands * rounds;
  const perCommand = (pid: number, beforeMs: number): string => `${((cpuMs(pid) - beforeMs) / total).toFixed(2)} ms`;
  console.log(`load: ${readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ')}`);
  console.log(
    `${admins} admins, ${commands} commands each: ${(busyMs / rounds / 1000).toFixed(1)} s, ` +
      `${(total / (busyMs / 1000)).toFixed(0)} commands a second`,
  );
  compare('whoami of another', quiet, beside);
  compare('a key in their shell', quietKeys, besideKeys);
  console.log(
    `processor time for a command: front ${perCommand(server.front, before.front)}, ` +
      `core ${perCommand(server.core, before.core)}`,
  );
  load.stdin.end();
  await ended;
} finally {
  await server.stop();
  await api.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);
