/**
 * Measures how an attack on the key exchange (CVE-2002-20001, with ssh-audit's `--dheat`) affects an admin who logs in
 * every two seconds: `npm run bench:dheat -- --sockets 10 --seconds 60`. The attack comes from one address, first with
 * the default limits, then exempt from penalties, like an attack from many addresses. It runs in a network namespace of
 * its own, which needs root or user namespaces.
 *
 * Prints the p50 and p95 of a login with a command by OpenSSH's client, including the start of its process, quiet and
 * under attack, and the ratio of the p95. Attackers, client and server share the processors of this machine, so the
 * ratio is an upper bound for a server with processors of its own.
 */
import { spawn } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { sshAudit } from '../support/downloads.ts';
import { inNetworkOf, inNewNetwork } from '../support/network.ts';
import { percentile } from './shell/figures.ts';
import { cpuMs } from './shell/processes.ts';
import { startServer, type BenchServer } from './shell/server.ts';

const { values: options } = parseArgs({
  options: { sockets: { type: 'string', default: '10' }, seconds: { type: 'string', default: '60' } },
});
const [sockets, seconds] = [Number(options.sockets), Number(options.seconds)];
if (![sockets, seconds].every((number) => Number.isInteger(number) && number >= 1))
  throw new Error('--sockets and --seconds take a positive integer each');

const everyMs = 2000;

/** Logs in from an address of its own and runs a command. Resolves to the time in milliseconds. Rejects on failure. */
async function login(server: BenchServer): Promise<number> {
  const [key = ''] = server.keys;
  const ssh = ['ssh', '-F', 'none', '-b', '127.0.0.2', '-p', String(server.port), '-i', key];
  const settings = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'BatchMode=yes',
    'IdentityAgent=none',
    'LogLevel=ERROR',
  ].flatMap((setting) => ['-o', setting]);
  const [program, ...args] = [...inNetworkOf(server.core), ...ssh, ...settings, 'manage@127.0.0.1', 'whoami'];
  const begun = performance.now();
  const code = await new Promise<number>((resolve) =>
    spawn(program, args, { stdio: 'ignore' }).once('exit', (status) => resolve(status ?? -1)),
  );
  if (code !== 0) throw new Error(`a login ended with ${code}`);
  return performance.now() - begun;
}

async function measure(server: BenchServer, title: string, forMs: number): Promise<number> {
  const took: number[] = [];
  let failures = 0;
  const frontMs = cpuMs(server.front);
  const begun = performance.now();
  while (performance.now() - begun < forMs) {
    const due = performance.now() + everyMs;
    await login(server).then(
      (ms) => took.push(ms),
      () => failures++,
    );
    await pause(Math.max(0, due - performance.now()));
  }
  const frontPercent = ((cpuMs(server.front) - frontMs) * 100) / (performance.now() - begun);
  const p95 = percentile(took, 95);
  console.log(
    `  ${title.padEnd(8)} login p50 ${percentile(took, 50).toFixed(0)} ms, p95 ${p95.toFixed(0)} ms (${took.length}, ${failures} failed); front ${frontPercent.toFixed(0)} % of a processor`,
  );
  return p95;
}

console.log(
  `${sockets} sockets for ${seconds} s on ${availableParallelism()} processors, load average ${(loadavg()[0] ?? 0).toFixed(1)}`,
);
for (const exempt of [false, true]) {
  const server = await startServer(1, {
    logTo: 'ignore',
    within: inNewNetwork,
    config: `ssh:\n  penalties:\n    exempt: [${exempt ? '127.0.0.1' : ''}]\n`,
  });
  try {
    console.log(
      exempt
        ? 'attack from an address that is exempt from penalties'
        : 'attack from an address with the default limits',
    );
    // Warm-up: code is compiled when it runs for the first time.
    for (let i = 0; i < 5; i++) await login(server);
    const quiet = await measure(server, 'quiet', Math.min(seconds, 30) * 1000);
    const attack = sshAudit([`--dheat=${sockets}`, '--port', String(server.port), '127.0.0.1'], {
      within: inNetworkOf(server.core),
      forMs: seconds * 1000 + 3000,
    });
    // ssh-audit first starts a process for each socket.
    await pause(2000);
    const loaded = await measure(server, 'attacked', seconds * 1000);
    const output = stripVTControlCharacters((await attack).stdout);
    console.log(`  p95 under attack relative to quiet: ${(loaded / quiet).toFixed(1)}`);
    for (const line of output
      .split(/[\r\n]/)
      .filter((each) => /TCP connections:|DH KEX replies:/.test(each))
      .slice(-4))
      console.log(`  ssh-audit: ${line.trim()}`);
  } finally {
    await server.stop();
  }
}
