/**
 * Measures the shell with real SSH clients and the real server: `npm run bench:shell`. Options: --sessions 1,100,500
 * --keys 400 --cycles 2000 --idle 30 (seconds). docs/design.md explains the figures. Linux only, because figures of
 * processes come from proc(5).
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Order, Typed } from './shell/clients.ts';
import { median, percentile, show, verdict, type Figure } from './shell/figures.ts';
import { cpuMs, openDescriptors, residentMiB } from './shell/processes.ts';
import { startServer, type BenchServer } from './shell/server.ts';

const { values: options } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1,100,500' },
    keys: { type: 'string', default: '400' },
    cycles: { type: 'string', default: '2000' },
    // Twice the keepalive interval of a connection, so that each connection counts the same number of keepalives.
    idle: { type: 'string', default: '30' },
  },
});
const sizes = options.sessions
  .split(',')
  .map(Number)
  .sort((a, b) => a - b);
const keys = Number(options.keys);
const cycles = Number(options.cycles);
const idleSeconds = Number(options.idle);
if (![...sizes, keys, cycles, idleSeconds].every((number) => Number.isInteger(number) && number >= 0)) {
  throw new Error('--sessions takes integers separated by commas; --keys, --cycles and --idle take an integer each');
}

/** Number of admins who share the sessions. Each has several shells open. */
const admins = 20;
/** Interval between the keys of a fast typist. */
const oneTypesEveryMs = 100;
/** Interval between keys when all sessions type: twenty keys a second in total. */
const allTypeEveryMs = 50;
/** Period in which memory is measured once a second. The minimum counts, because garbage is collected at any time. */
const settleSeconds = 10;

const targets = {
  p99Ms: (sessions: number): number | undefined => (sessions >= 500 ? 50 : sessions >= 100 ? 25 : undefined),
  bytesPerKey: 250,
  idleBytes: 0,
  idlePercentPerHundred: 0.6,
  miBPerSession: (sessions: number): number | undefined => (sessions >= 500 ? 0.7 : undefined),
  /** Maximum growth from one round of cycles to the next that counts as garbage collector noise. */
  growthMiB: 10,
  growthDescriptors: 0,
};

const figures: Figure[] = [];

function report(figure: Figure): void {
  figures.push(figure);
  console.log(show(figure));
}

function part(title: string): void {
  const [load = 0] = loadavg();
  const busy = load > availableParallelism() / 2 ? ' (the machine is busy: times mean little)' : '';
  console.log(`\n${title}, load average ${load.toFixed(1)}${busy}`);
}

class Clients {
  readonly #process: ChildProcess = fork(fileURLToPath(new URL('shell/clients.ts', import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });

  order(order: Order): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const died = (): void => reject(new Error('the clients exited'));
      this.#process.once('exit', died);
      this.#process.once('message', (message: { answer?: unknown; error?: string }) => {
        this.#process.off('exit', died);
        if (message.error === undefined) resolve(message.answer);
        else reject(new Error(`the clients: ${message.error}`));
      });
      this.#process.send(order);
    });
  }

  async type(what: 'one-types' | 'all-type', everyMs: number): Promise<Typed> {
    return (await this.order({ do: what, keys, everyMs })) as Typed;
  }

  async received(): Promise<{ readonly bytes: number; readonly closed: number }> {
    return (await this.order({ do: 'received' })) as { bytes: number; closed: number };
  }

  end(): void {
    this.#process.disconnect();
  }
}

/** Measures the resident memory of an idle process, in MiB. */
async function atRest(pid: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < settleSeconds; i++) {
    await pause(1000);
    least = Math.min(least, residentMiB(pid));
  }
  return least;
}

async function withServer(work: (server: BenchServer, clients: Clients) => Promise<void>): Promise<void> {
  const server = await startServer(admins);
  const clients = new Clients();
  try {
    await clients.order({
      do: 'target',
      target: { port: server.port, keys: server.keys, echo: (echo.address() as AddressInfo).port },
    });
    console.log(
      `\nStarted: front ${residentMiB(server.front).toFixed(0)} MiB, core ${residentMiB(server.core).toFixed(0)} MiB`,
    );
    // Warm-up: code is compiled when it runs for the first time.
    await clients.order({ do: 'open', shells: 5 });
    await clients.order({ do: 'all-type', keys: 100, everyMs: 20 });
    await clients.order({ do: 'close' });
    await clients.order({ do: 'cycle', times: 40 });
    await work(server, clients);
  } finally {
    clients.end();
    await server.stop();
  }
}

function reportTyping(who: string, sessions: number, { latenciesMs, bytes, echoesMs, unanswered }: Typed): void {
  report({ what: `${who}: keystroke to repaint, p50`, value: median(latenciesMs), unit: 'ms' });
  report({
    what: `${who}: keystroke to repaint, p99`,
    value: percentile(latenciesMs, 99),
    unit: 'ms',
    target: targets.p99Ms(sessions),
    floor: percentile(echoesMs, 99),
  });
  report({ what: `${who}: a bare echo between the keys, p50`, value: median(echoesMs), unit: 'ms' });
  report({ what: `${who}: a bare echo between the keys, p99`, value: percentile(echoesMs, 99), unit: 'ms' });
  report({ what: `${who}: bytes per keystroke, median`, value: median(bytes), unit: 'B', target: targets.bytesPerKey });
  report({ what: `${who}: bytes per keystroke, maximum`, value: Math.max(...bytes), unit: 'B' });
  if (unanswered > 0) report({ what: `${who}: unanswered keys`, value: unanswered, unit: '', target: 0 });
}

async function idlePercents({ front, core }: BenchServer): Promise<{ readonly front: number; readonly core: number }> {
  const before = { front: cpuMs(front), core: cpuMs(core) };
  const begun = performance.now();
  await pause(idleSeconds * 1000);
  const percent = (used: number): number => (used / (performance.now() - begun)) * 100;
  return { front: percent(cpuMs(front) - before.front), core: percent(cpuMs(core) - before.core) };
}

async function measureIdle(server: BenchServer, clients: Clients, sessions: number): Promise<void> {
  await clients.order({ do: 'settle', quietMs: 3000 });
  const before = await clients.received();
  const idle = await idlePercents(server);
  const after = await clients.received();
  report({
    what: 'idle: CPU of the front, of one core',
    value: idle.front,
    unit: '%',
    target: (targets.idlePercentPerHundred * Math.max(100, sessions)) / 100,
  });
  report({ what: 'idle: CPU of core, of one core', value: idle.core, unit: '%' });
  report({
    what: `idle: bytes received by all in ${idleSeconds} s`,
    value: after.bytes - before.bytes,
    unit: 'B',
    target: targets.idleBytes,
  });
  if (after.closed > 0) report({ what: 'sessions ended by the server', value: after.closed, unit: '', target: 0 });
}

/** Measures typing in one shell while another shell runs a create, which all shells are notified of. */
async function measureBusy({ front, publicKey }: BenchServer, clients: Clients, sessions: number): Promise<void> {
  const before = cpuMs(front);
  const begun = performance.now();
  const user = `user-${sessions}`;
  const typed = (await clients.order({
    do: 'run',
    line: `create ${user} --ssh-key "${publicKey}"`,
    until: `ssh ${user}`,
    everyMs: oneTypesEveryMs,
  })) as Typed;
  report({ what: 'during a create: duration of the create', value: performance.now() - begun, unit: 'ms' });
  await clients.order({ do: 'settle', quietMs: 1000 });
  report({ what: 'during a create: CPU of the front', value: cpuMs(front) - before, unit: 'ms' });
  report({
    what: `during a create: keystroke to repaint, p50 of ${typed.latenciesMs.length}`,
    value: median(typed.latenciesMs),
    unit: 'ms',
  });
  report({ what: 'during a create: keystroke to repaint, maximum', value: Math.max(...typed.latenciesMs), unit: 'ms' });
}

async function measureSessions(server: BenchServer, clients: Clients): Promise<void> {
  const empty = { front: await atRest(server.front), core: await atRest(server.core) };
  console.log(`Warm, without a session: front ${empty.front.toFixed(0)} MiB, core ${empty.core.toFixed(0)} MiB`);
  const idle = await idlePercents(server);
  console.log(
    `Idle, without a session: CPU of the front ${idle.front.toFixed(2)} %, of core ${idle.core.toFixed(2)} %`,
  );
  for (const sessions of sizes) {
    part(`${sessions} ${sessions === 1 ? 'session' : 'sessions'}`);
    const before = { front: cpuMs(server.front), core: cpuMs(server.core) };
    const begun = performance.now();
    await clients.order({ do: 'open', shells: sessions });
    report({ what: 'time to open the sessions', value: performance.now() - begun, unit: 'ms' });
    await clients.order({ do: 'settle', quietMs: 1000 });
    report({ what: 'opening the sessions: CPU of the front', value: cpuMs(server.front) - before.front, unit: 'ms' });
    report({ what: 'opening the sessions: CPU of core', value: cpuMs(server.core) - before.core, unit: 'ms' });
    if (sessions > 1) {
      report({
        what: 'memory of the front per session',
        value: ((await atRest(server.front)) - empty.front) / sessions,
        unit: 'MiB',
        target: targets.miBPerSession(sessions),
      });
      report({
        what: 'memory of core per session',
        value: (residentMiB(server.core) - empty.core) / sessions,
        unit: 'MiB',
      });
      await measureIdle(server, clients, sessions);
    }
    reportTyping('one types', sessions, await clients.type('one-types', oneTypesEveryMs));
    if (sessions > 1) {
      const usedMs = cpuMs(server.front);
      reportTyping('all type', sessions, await clients.type('all-type', allTypeEveryMs));
      report({
        what: 'all type: CPU of the front per keystroke',
        value: (cpuMs(server.front) - usedMs) / keys,
        unit: 'ms',
      });
      report({
        what: 'memory of the front per session, after typing',
        value: (residentMiB(server.front) - empty.front) / sessions,
        unit: 'MiB',
      });
      await measureBusy(server, clients, sessions);
    }
  }
  await clients.order({ do: 'close' });
  console.log(
    `\nAll closed: front ${(await atRest(server.front)).toFixed(0)} MiB, ${openDescriptors(server.front)} descriptors; core ${(await atRest(server.core)).toFixed(0)} MiB`,
  );
}

async function measureCycles(server: BenchServer, clients: Clients): Promise<void> {
  const look = async (): Promise<{ front: number; core: number; files: number }> => {
    const front = await atRest(server.front);
    return {
      front,
      core: residentMiB(server.core),
      files: openDescriptors(server.front) + openDescriptors(server.core),
    };
  };
  const looks = [await look()];
  for (let round = 1; round <= 2; round++) {
    part(`${cycles} connects and disconnects, round ${round}`);
    const begun = performance.now();
    await clients.order({ do: 'cycle', times: cycles });
    report({ what: 'sessions per second', value: cycles / ((performance.now() - begun) / 1000), unit: '/s' });
    looks.push(await look());
    const [before, after] = looks.slice(-2);
    if (before === undefined || after === undefined) continue;
    console.log(
      `  front ${before.front.toFixed(0)} -> ${after.front.toFixed(0)} MiB, core ${before.core.toFixed(0)} -> ${after.core.toFixed(0)} MiB`,
    );
    // The first round fills pools and caches. A leak shows in the second round.
    const counts = round === 2;
    report({
      what: 'growth of the front',
      value: after.front - before.front,
      unit: 'MiB',
      target: counts ? targets.growthMiB : undefined,
    });
    report({
      what: 'growth of core',
      value: after.core - before.core,
      unit: 'MiB',
      target: counts ? targets.growthMiB : undefined,
    });
    report({
      what: 'growth of open descriptors',
      value: after.files - before.files,
      unit: '',
      target: counts ? targets.growthDescriptors : undefined,
    });
  }
}

/** An echo server in this process, which is otherwise idle, to measure the current round trip time of the machine. */
const echo = createServer({ noDelay: true }, (socket) => socket.on('error', () => undefined).pipe(socket))
  .listen(0, '127.0.0.1')
  .unref();
await new Promise((resolve) => echo.once('listening', resolve));

console.log(
  `Node.js ${process.versions.node}, ${availableParallelism()} CPUs; ${keys} keys, clients and server on this machine`,
);
if (sizes.length > 0 && keys > 0) await withServer(measureSessions);
if (cycles > 0) await withServer(measureCycles);

const verdicts = figures.map(verdict).filter((each) => each !== undefined);
const count = (wanted: string): number => verdicts.filter((each) => each === wanted).length;
const undecided = count('undecided');
console.log(
  `\n${count('reached')} of ${verdicts.length} targets reached${undecided === 0 ? '' : `; ${undecided} are undecided because the machine is busy`}`,
);
