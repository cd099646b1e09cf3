/**
 * A network of its own beside the host, as a private LAN, a cloud's metadata service, and a part of the internet. It is
 * the network namespace of one process, so that it ends with that process, which names the test's folder.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, succeeds } from '../../../src/prepare/programs.ts';
import type { RunningIncus } from '../harness/index.ts';
import { waitUntil } from '../harness/index.ts';

export interface Lan {
  /** A machine in a private network that is directly connected to the host. */
  readonly neighbour: string;
  /** The host's own address there. */
  readonly hostAddress: string;
  /** The metadata service of many clouds, which gives out credentials. */
  readonly metadata: string;
  /** A machine on the internet, which containers may reach (an address for documentation, RFC 5737). */
  readonly internet: string;
  /** All of them listen here. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Accepts connections on every address, for ever, and datagrams without a word. */
const listener = `use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => 80, Listen => 100, ReuseAddr => 1) or die "listen: $!";
my $silent = IO::Socket::INET->new(LocalPort => 80, Proto => 'udp') or die "udp: $!";
while (my $client = $server->accept) { print $client "lan\\n"; close $client }
`;

export async function startLan({ dir, bridge }: RunningIncus): Promise<Lan> {
  const program = join(dir, 'lan.pl');
  await writeFile(program, listener);
  const device = `${bridge}l`;
  // The number in the bridge's name keeps tests apart that run at the same time.
  const number = Number.parseInt(bridge.slice(3), 16);
  const base = `172.28.${number % 256}`;
  const host = 4 * ((number >> 8) & 63);
  const lan = {
    hostAddress: `${base}.${host + 1}`,
    neighbour: `${base}.${host + 2}`,
    metadata: '169.254.169.254',
    internet: '198.51.100.7',
    port: 80,
  };
  const table = `${10_000 + (number % 1_000_000)}`;
  const child = spawn('unshare', ['--net', 'perl', program], { stdio: ['ignore', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  const own = await readlink('/proc/self/ns/net');
  const elsewhere = async (): Promise<boolean> =>
    readlink(`/proc/${child.pid}/ns/net`).then(
      (name) => name !== own,
      () => false,
    );
  await waitUntil(elsewhere, 5000);
  const within = (...args: string[]): Promise<unknown> =>
    run('nsenter', ['--target', `${child.pid}`, '--net', 'ip', ...args]);
  await run('ip', ['link', 'add', device, 'type', 'veth', 'peer', 'name', 'lan0', 'netns', `${child.pid}`]);
  await run('ip', ['address', 'add', `${lan.hostAddress}/30`, 'dev', device]);
  await run('ip', ['link', 'set', device, 'up']);
  await within('address', 'add', `${lan.neighbour}/30`, 'dev', 'lan0');
  for (const address of [lan.metadata, lan.internet]) await within('address', 'add', `${address}/32`, 'dev', 'lo');
  await within('link', 'set', 'lo', 'up');
  await within('link', 'set', 'lan0', 'up');
  await within('route', 'add', 'default', 'via', lan.hostAddress);
  // Only packets from this bridge go there, so that nothing else on this machine is redirected.
  for (const address of [lan.metadata, lan.internet]) {
    await run('ip', ['route', 'add', `${address}/32`, 'via', lan.neighbour, 'dev', device, 'table', table]);
    await run('ip', ['rule', 'add', 'iif', bridge, 'to', `${address}/32`, 'lookup', table]);
  }
  return {
    ...lan,
    stop: async () => {
      while (await succeeds('ip', ['rule', 'del', 'iif', bridge]));
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
