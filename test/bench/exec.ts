/**
 * Measures a cold exec: connect, log in by key, run one command, read its answer, close. `npm run bench:exec`. Options:
 * --rounds 300 --profiled 400 (0 for no profile) --pause 5.
 *
 * Clients are libraries in processes that run already: golang.org/x/crypto/ssh, and ssh2. Servers are this program on
 * its simulated host, and beside it bare servers that answer with the same bytes: ssh2 with the algorithms of the
 * front, and x/crypto. Every round has one exec of each command on each server, in random order, so that the ratios
 * count on a busy machine too. Before each is a pause (in milliseconds), in which a server can do what is left to do
 * after the last one, such as the record of a logout.
 *
 * The first table has the times, the second the parts of an exec as the Go client sees them, the third what the front
 * and core do meanwhile, from CPU profiles, which are taken afterwards because they cost time themselves.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeKey } from '../support/keys.ts';
import { Inspector } from '../soak/inspector.ts';
import { goExecs, phases, ssh2Execs, type Answer, type ColdExec, type ExecClient } from './exec/clients.ts';
import { timeByWork } from './exec/profile.ts';
import { bareGo, bareSsh2 } from './exec/servers.ts';
import { median, percentile } from './shell/figures.ts';
import { shuffled } from './shuffled.ts';
import { cpuMs } from './shell/processes.ts';
import { startServer } from './shell/server.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '300' },
    profiled: { type: 'string', default: '400' },
    pause: { type: 'string', default: '5' },
  },
});
const [rounds, profiled, pauseMs] = [Number(options.rounds), Number(options.profiled), Number(options.pause)];
if (![rounds, profiled, pauseMs].every((number) => Number.isInteger(number) && number >= 0) || rounds === 0)
  throw new Error('--rounds, --profiled and --pause take an integer each');

/** Discarded rounds: code is compiled when it has run some times. */
const warmUpRounds = 150;
const sampleUs = 100;
const commands = ['version', 'whoami'] as const;
const target = { ratio: 1.25, ms: 4.5 };

interface Server {
  readonly name: string;
  readonly port: number;
}

const folder = await mkdtemp(join(tmpdir(), 'exec-bench-'));
const ours = await startServer(1, { logTo: 'ignore' });
const key = ours.keys[0] ?? '';
const clients = [await goExecs(key), ssh2Execs(key)] as const;
const [go] = clients;
const hostKey = await makeKey(folder, 'host');
const settings = { hostKey: hostKey.path, userKey: `${key}.pub`, answers: await answersOf(go, ours.port) };
const [bare, bareInGo] = [await bareSsh2(settings), await bareGo(settings)];
const servers: readonly Server[] = [
  { name: 'containarium', port: ours.port },
  { name: 'bare ssh2', port: bare.port },
  { name: 'bare x/crypto', port: bareInGo.port },
];
try {
  const execs = new Map<string, ColdExec[]>();
  const kinds = servers.flatMap((server) =>
    clients.flatMap((client) => commands.map((command) => ({ server, client, command }))),
  );
  for (let round = 0; round < warmUpRounds + rounds; round++)
    for (const { server, client, command } of shuffled(kinds)) {
      await pause(pauseMs);
      const exec = await client.exec(server.port, command);
      if (round < warmUpRounds) continue;
      const name = nameOf(client, server, command);
      execs.set(name, [...(execs.get(name) ?? []), exec]);
    }
  console.log(`load: ${(await readFile('/proc/loadavg', 'utf8')).split(' ').slice(0, 3).join(' ')}; ${rounds} rounds`);
  showTimes(execs);
  showPhases(execs);
  if (profiled > 0) await showWork();
} finally {
  for (const each of [...clients, bare, bareInGo]) each.stop();
  await ours.stop();
  await rm(folder, { recursive: true });
}

function nameOf(client: ExecClient, server: Server, command: string): string {
  return `${client.name} ${server.name} ${command}`;
}

/** Returns what our server answers to each command. */
async function answersOf(client: ExecClient, port: number): Promise<Record<string, Answer>> {
  const answers: Record<string, Answer> = {};
  for (const command of commands) {
    const { stdout = '', stderr = '' } = await client.exec(port, command);
    answers[command] = { stdout, stderr };
  }
  return answers;
}

function showTimes(execs: ReadonlyMap<string, readonly ColdExec[]>): void {
  console.log(`\n${'client'.padEnd(9)} ${'command'.padEnd(8)} ${'server'.padEnd(14)}  median      p95   ratio`);
  for (const client of clients)
    for (const command of commands) {
      const times = (server: Server): number[] =>
        (execs.get(nameOf(client, server, command)) ?? []).map(({ totalMs }) => totalMs);
      const base = median(times(servers[1] as Server));
      for (const server of servers) {
        const own = median(times(server));
        const isJudged = server === servers[0] && client === go;
        console.log(
          `${client.name.padEnd(9)} ${command.padEnd(8)} ${server.name.padEnd(14)} ${inMs(own)} ` +
            `${inMs(percentile(times(server), 95))} ${(own / base).toFixed(2).padStart(7)}` +
            (isJudged ? `   ${verdict(own, own / base)}` : ''),
        );
      }
    }
}

function verdict(ms: number, ratio: number): string {
  const isReached = ms <= target.ms && ratio <= target.ratio;
  return `target ${target.ratio.toFixed(2)} and ${target.ms} ms: ${isReached ? 'reached' : 'NOT REACHED'}`;
}

/** Shows the parts of an exec as the Go client sees them: their median times. */
function showPhases(execs: ReadonlyMap<string, readonly ColdExec[]>): void {
  const columns = [
    { title: 'containarium', server: servers[0] as Server, command: 'version' },
    { title: 'containarium, whoami', server: servers[0] as Server, command: 'whoami' },
    { title: 'bare ssh2', server: servers[1] as Server, command: 'version' },
    { title: 'bare x/crypto', server: servers[2] as Server, command: 'version' },
  ];
  const titles = {
    connect: 'TCP connect',
    keyExchange: 'identification, key exchange',
    login: 'login: question, offer, signature',
    session: 'session open',
    answer: 'exec until the channel is closed',
    close: 'close',
  };
  console.log(`\n${''.padEnd(34)}${columns.map(({ title }) => title.padStart(22)).join('')}`);
  for (const phase of phases) {
    const values = columns.map(({ server, command }) =>
      median((execs.get(nameOf(go, server, command)) ?? []).map((exec) => exec.phases?.[phase] ?? 0)),
    );
    console.log(`${titles[phase].padEnd(34)}${values.map((ms) => inMs(ms).padStart(22)).join('')}`);
  }
}

/** Shows what the servers do during the execs of a Go client. */
async function showWork(): Promise<void> {
  const loop = async (port: number): Promise<void> => {
    for (let i = 0; i < profiled; i++) {
      await pause(pauseMs);
      await go.exec(port, 'version');
    }
  };
  const processes = [
    { name: 'front', pid: ours.front, port: ours.port },
    { name: 'core', pid: ours.core, port: ours.port },
    { name: 'bare ssh2', pid: bare.pid, port: bare.port },
  ];
  console.log('\nprocessor time of an exec, all threads');
  const before = processes.map(({ pid }) => cpuMs(pid));
  await loop(ours.port);
  await loop(bare.port);
  processes.forEach(({ name, pid }, i) => {
    console.log(`  ${name.padEnd(38)} ${inMs((cpuMs(pid) - (before[i] ?? 0)) / profiled)}`);
  });
  for (const { name, pid, port } of processes) {
    const inspector = await Inspector.of(pid);
    const profile = await inspector.profile(() => loop(port), sampleUs);
    inspector.close();
    console.log(`\nwhat the ${name} does in its own thread, for an exec`);
    for (const [work, ms] of timeByWork(profile))
      if (ms / profiled >= 0.01) console.log(`  ${work.padEnd(38)} ${inMs(ms / profiled)}`);
  }
}

function inMs(ms: number): string {
  return `${ms.toFixed(2)} ms`;
}
