/**
 * Measures lists against the number of containers: `npm run bench:list`, as root. Options: --containers 50,200,500,2000
 * --rounds 20 --changes 50, and --graph FILE for an SVG of the figures. The server is real, and its Incus is the
 * bench's own (list/incusApi.ts), because no machine carries 2,000 containers; `BENCH_CONTAINERS=150 npm run
 * bench:host` measures real ones. It needs Incus's client.
 *
 * Cold: a whole command with the stock ssh client, `list` and `version` in turns, so that other load on the machine
 * affects them equally; only their ratio counts. Warm: a list over an open connection. Live: the processor time of
 * front and core for a change in an open live list. Beside them, `incus list` of the same Incus.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import type ssh2 from 'ssh2';
import { eventually } from '../support/eventually.ts';
import { connect, milliseconds, run } from './list/connection.ts';
import { startIncusApi, type IncusApi } from './list/incusApi.ts';
import { graphSvg } from './graph.ts';
import { median, percentile } from './shell/figures.ts';
import { cpuMs } from './shell/processes.ts';
import { startServer, type BenchServer } from './shell/server.ts';

const { values: options } = parseArgs({
  options: {
    containers: { type: 'string', default: '50,200,500,2000' },
    rounds: { type: 'string', default: '20' },
    changes: { type: 'string', default: '50' },
    graph: { type: 'string' },
  },
});
const sizes = options.containers.split(',').map(Number);
const [rounds, changes] = [Number(options.rounds), Number(options.changes)];
if (![...sizes, rounds, changes].every((number) => Number.isInteger(number) && number > 0))
  throw new Error('--containers takes integers separated by commas; --rounds and --changes take an integer each');

/** Returns the processor time of core and front for a change in an open live list, in milliseconds. */
async function liveCost(server: BenchServer, api: IncusApi, client: ssh2.Client): Promise<number> {
  const channel = await new Promise<ssh2.ClientChannel>((resolve, reject) =>
    client.exec('list --watch', { pty: { cols: 120, rows: 40, term: 'xterm' } }, (error, opened) =>
      error === undefined ? resolve(opened) : reject(error),
    ),
  );
  let shown = '';
  channel.on('data', (data: Buffer) => (shown += data.toString()));
  await eventually(() => Promise.resolve(shown.includes('user0') ? true : undefined), 'the live list is open');
  await pause(2000);
  const used = (): number => cpuMs(server.core) + cpuMs(server.front);
  // What an open list costs without a change, over the same time.
  const [before, beganMs] = [used(), performance.now()];
  for (let change = 0; change < changes; change++) {
    api.toggle(change % 10);
    await pause(150);
  }
  const [withChanges, tookMs] = [used() - before, performance.now() - beganMs];
  const quietBefore = used();
  await pause(tookMs);
  const quiet = used() - quietBefore;
  channel.end('q');
  channel.close();
  return Math.max(0, withChanges - quiet) / changes;
}

interface Measured {
  readonly containers: number;
  /** Medians, in milliseconds. */
  readonly list: number;
  readonly version: number;
  readonly warm: number;
  readonly incus: number;
}

async function measure(containers: number): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'list-bench-'));
  const socket = join(folder, 'unix.socket');
  const api = await startIncusApi(socket, containers);
  const server = await startServer(1, {
    logTo: 'ignore',
    env: { INCUS_SOCKET: socket, CONTAINARIUM_HOST: 'incus' },
  });
  const client = await connect(server.port, server.keys[0] ?? '');
  const ssh = (verb: string) =>
    execa('ssh', [
      ...['-F', '/dev/null', '-p', `${server.port}`, '-i', server.keys[0] ?? '', '-o', 'IdentitiesOnly=yes'],
      ...['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
      ...['-o', 'LogLevel=ERROR', 'manage@127.0.0.1', verb],
    ]);
  try {
    const { total } = JSON.parse(await run(client, 'list --json')).result as { total: number };
    if (total !== containers) throw new Error(`the list has ${total} containers of ${containers}`);
    await eventually(() => Promise.resolve(api.asked.all > 0 ? true : undefined), 'the mirror has read all');
    await pause(containers * 7 + 500);
    const cold = { version: [] as number[], list: [] as number[] };
    for (let round = 0; round < rounds; round++)
      for (const verb of ['version', 'list'] as const) cold[verb].push(await milliseconds(() => ssh(verb)));
    const warm: number[] = [];
    for (let round = 0; round < rounds * 2; round++) warm.push(await milliseconds(() => run(client, 'list')));
    const incus: number[] = [];
    for (let round = 0; round < 3; round++)
      incus.push(
        await milliseconds(() => execa('incus', ['list', '--format', 'json'], { env: { INCUS_SOCKET: socket } })),
      );
    const live = await liveCost(server, api, client);
    const [version, list] = [median(cold.version), median(cold.list)];
    console.log(
      [
        `${containers} containers`.padStart(16),
        `cold ${list.toFixed(0)} ms, ${(list / version).toFixed(2)} x version`,
        `warm p50 ${median(warm).toFixed(1)}, p95 ${percentile(warm, 95).toFixed(1)} ms`,
        `incus list ${median(incus).toFixed(0)} ms`,
        `a change ${live.toFixed(1)} ms of CPU`,
        `core ${(cpuMs(server.core) / 1000).toFixed(1)} s of CPU in all`,
      ].join('; '),
    );
    return { containers, list, version, warm: median(warm), incus: median(incus) };
  } finally {
    client.end();
    await server.stop();
    await api.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

console.log(`load: ${readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ')}`);
const measured: Measured[] = [];
for (const containers of sizes) measured.push(await measure(containers));
if (options.graph !== undefined) {
  const series = (name: string, key: Exclude<keyof Measured, 'containers'>) => ({
    name,
    points: measured.map((each) => [each.containers, each[key]] as const),
  });
  const graph = graphSvg({
    title: 'Time of a list',
    x: 'containers',
    y: 'milliseconds, median',
    series: [
      series('ssh … list', 'list'),
      series('ssh … version', 'version'),
      series('list, open connection', 'warm'),
      series('incus list', 'incus'),
    ],
  });
  await writeFile(options.graph, graph);
}
process.exit(0);
