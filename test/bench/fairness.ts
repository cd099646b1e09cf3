/**
 * Measures what one admin notices of others: `npm run bench:fairness`, as root. Options: --admins 50 --commands 20
 * --containers 50. Every admin but one runs commands over a connection of their own, all at the same time: `list` and
 * `whoami` in turns. The last one runs `whoami`, before and meanwhile; the ratio counts. The server is real, and its
 * Incus is the bench's own (list/incusApi.ts).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect, milliseconds, run } from './list/connection.ts';
import { startIncusApi } from './list/incusApi.ts';
import { median, percentile } from './shell/figures.ts';
import { startServer } from './shell/server.ts';

const { values: options } = parseArgs({
  options: {
    admins: { type: 'string', default: '50' },
    commands: { type: 'string', default: '20' },
    containers: { type: 'string', default: '50' },
  },
});
const [admins, commands, containers] = [Number(options.admins), Number(options.commands), Number(options.containers)];
if (![admins, commands, containers].every((number) => Number.isInteger(number) && number > 0))
  throw new Error('--admins, --commands and --containers take an integer each');

/** Pause between two commands of the admin who is alone, in milliseconds. */
const pauseMs = 20;

const folder = await mkdtemp(join(tmpdir(), 'fairness-bench-'));
const socket = join(folder, 'unix.socket');
const api = await startIncusApi(socket, containers);
const server = await startServer(admins + 1, {
  logTo: 'ignore',
  env: { INCUS_SOCKET: socket, CONTAINARIUM_HOST: 'incus' },
});
try {
  const connections = await Promise.all(server.keys.map((key) => connect(server.port, key)));
  const alone = connections.pop();
  if (alone === undefined) throw new Error('there is no admin');
  const whoami = async (until: () => boolean): Promise<number[]> => {
    const times: number[] = [];
    while (!until()) {
      times.push(await milliseconds(() => run(alone, 'whoami')));
      await pause(pauseMs);
    }
    return times;
  };
  let count = 0;
  await whoami(() => count++ >= 50);
  count = 0;
  const quiet = await whoami(() => count++ >= 100);
  let isOver = false;
  const begunMs = performance.now();
  const [beside] = await Promise.all([
    whoami(() => isOver),
    Promise.all(
      connections.map(async (client) => {
        for (let command = 0; command < commands; command++) await run(client, command % 2 === 0 ? 'list' : 'whoami');
      }),
    ).then(() => (isOver = true)),
  ]);
  const seconds = (performance.now() - begunMs) / 1000;
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
  for (const client of [...connections, alone]) client.end();
} finally {
  await server.stop();
  await api.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);
