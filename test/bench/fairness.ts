/**
 * Measures what one admin notices of others: `npm run bench:fairness`, as root. Options: --admins 50 --commands 20
 * --containers 50 --pause 100. Every admin but one runs commands over a connection of their own, all at the same time:
 * `list` and `whoami` in turns (fairness/load.ts). The last one runs `whoami`, with --pause milliseconds after each
 * answer, before and meanwhile; the ratio counts. The server is real, and its Incus is the bench's own
 * (list/incusApi.ts).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect, milliseconds, run } from './list/connection.ts';
import { startIncusApi } from './list/incusApi.ts';
import { median, percentile } from './shell/figures.ts';
import { cpuMs } from './shell/processes.ts';
import { startServer } from './shell/server.ts';

const { values: options } = parseArgs({
  options: {
    admins: { type: 'string', default: '50' },
    commands: { type: 'string', default: '20' },
    containers: { type: 'string', default: '50' },
    pause: { type: 'string', default: '100' },
  },
});
const [admins, commands, containers] = [Number(options.admins), Number(options.commands), Number(options.containers)];
const pauseMs = Number(options.pause);
if (![admins, commands, containers, pauseMs].every((number) => Number.isInteger(number) && number > 0))
  throw new Error('--admins, --commands, --containers and --pause take an integer each');

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
  const load = spawn(
    process.execPath,
    [fileURLToPath(new URL('fairness/load.ts', import.meta.url)), String(server.port), options.commands, ...others],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const ended = once(load, 'exit');
  await Promise.race([once(load.stdout, 'data'), ended]);
  let count = 0;
  await whoami(() => count++ >= 20);
  count = 0;
  const quiet = await whoami(() => count++ >= 100);
  const before = { front: cpuMs(server.front), core: cpuMs(server.core) };
  let isOver = false;
  const begunMs = performance.now();
  load.stdin.end('begin\n');
  const [beside] = await Promise.all([whoami(() => isOver), ended.then(() => (isOver = true))]);
  const seconds = (performance.now() - begunMs) / 1000;
  const perCommand = (pid: number, beforeMs: number): string =>
    `${((cpuMs(pid) - beforeMs) / (admins * commands)).toFixed(2)} ms`;
  const ratio = percentile(beside, 95) / percentile(quiet, 95);
  console.log(`load: ${readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ')}`);
  console.log(
    `${admins} admins, ${commands} commands each: ${seconds.toFixed(1)} s, ` +
      `${((admins * commands) / seconds).toFixed(0)} commands a second`,
  );
  console.log(
    `whoami of another: quiet p50 ${median(quiet).toFixed(1)}, p95 ${percentile(quiet, 95).toFixed(1)} ms; meanwhile ` +
      `p50 ${median(beside).toFixed(1)}, p95 ${percentile(beside, 95).toFixed(1)} ms, ${ratio.toFixed(1)} x ` +
      `(${beside.length} calls)`,
  );
  console.log(
    `processor time for a command: front ${perCommand(server.front, before.front)}, ` +
      `core ${perCommand(server.core, before.core)}`,
  );
  if (load.exitCode !== 0) throw new Error('the others did not get all answers');
  alone.end();
} finally {
  await server.stop();
  await api.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);
