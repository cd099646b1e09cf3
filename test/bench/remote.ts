/**
 * Measures the remote interface beside ssh, in one run: `npm run bench:remote`.
 *
 * Cold: a whole command line, from its start to its end, of the client in one file (`npm run release:client`) and of
 * the stock ssh client; beside it, what Node.js needs to start, and to load its TLS and HTTP/2. Warm: a call on an open
 * connection. They take turns, so that other load on the machine affects them equally. Only the ratios count.
 */
import { join } from 'node:path';
import { execa } from 'execa';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { readIdentity } from '../../src/client/certificates.ts';
import { Channel } from '../../src/client/grpc/channel.ts';
import { VerbService } from '../../src/grpc/generated/containarium/v1/verbs_pb.ts';
import { eventually } from '../support/eventually.ts';
import { percentile } from './shell/figures.ts';
import { startServer } from './shell/server.ts';

const rounds = 30;
const warmCalls = 300;
const release = join(import.meta.dirname, '..', '..', 'release', 'containarium');

async function milliseconds(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

const p50 = (times: readonly number[]): number => percentile([...times], 50);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const folder = await mkdtemp(join(tmpdir(), 'remote-bench-'));
const port = await freePort();
const address = `127.0.0.1:${port}`;
const server = await startServer(1, { config: `remote: {listen: '${address}'}\n` });
const options = [
  ...['-F', '/dev/null', '-p', `${server.port}`, '-i', server.keys[0] ?? '', '-o', 'IdentitiesOnly=yes'],
  ...[
    '-o',
    'BatchMode=yes',
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'UserKnownHostsFile=/dev/null',
    '-o',
    'LogLevel=ERROR',
  ],
];
const ssh = (...words: string[]) => execa('ssh', [...options, 'manage@127.0.0.1', ...words], { stdin: 'ignore' });
const remote = (...words: string[]) =>
  execa(process.execPath, [release, ...words, '--server', address, '--certs-dir', folder], { stdin: 'ignore' });
const node = (script: string) => execa(process.execPath, ['-e', script], { stdin: 'ignore' });
try {
  const { stdout } = await ssh('cert', 'generate', '--server-ip', '127.0.0.1');
  await writeFile(join(folder, 'bundle.pem'), stdout);
  await eventually(() => remote('version').catch(() => undefined), 'the remote interface listens');
  console.log(`load: ${(await readFile('/proc/loadavg', 'utf8')).split(' ').slice(0, 3).join(' ')}`);
  for (const verb of ['version', 'list']) {
    const cold = { ssh: [] as number[], node: [] as number[], modules: [] as number[], remote: [] as number[] };
    for (let i = 0; i < rounds; i++) {
      cold.ssh.push(await milliseconds(() => ssh(verb, '--json')));
      cold.node.push(await milliseconds(() => node('0')));
      cold.modules.push(await milliseconds(() => node('require("node:http2"); require("node:tls")')));
      cold.remote.push(await milliseconds(() => remote(verb, '--json')));
    }
    const overSsh = p50(cold.ssh);
    const beside = (times: readonly number[]): string =>
      `${p50(times).toFixed(0)} ms (${(p50(times) / overSsh).toFixed(2)})`;
    console.log(
      `${verb.padEnd(8)} cold  ssh ${overSsh.toFixed(0)} ms; remote ${beside(cold.remote)}; of that Node.js alone ` +
        `${beside(cold.node)}, with its HTTP/2 and TLS ${beside(cold.modules)}`,
    );
    const identity = await readIdentity(folder);
    const open = await Channel.open(address, identity);
    const call = async () => {
      const made = open.call(VerbService.method.call);
      made.send({ verb, inputJson: '{}' });
      made.end();
      const events = made[Symbol.asyncIterator]();
      while ((await events.next()).done !== true);
    };
    const warm: [number[], number[]] = [[], []];
    const shared = [
      '-o',
      'ControlMaster=auto',
      '-o',
      `ControlPath=${join(folder, 'master')}`,
      '-o',
      'ControlPersist=60',
    ];
    const master = (...words: string[]) =>
      execa('ssh', [...shared, ...options, 'manage@127.0.0.1', ...words], {
        stdin: 'ignore',
        stdout: 'ignore',
        stderr: 'ignore',
      });
    await master('version');
    for (let i = 0; i < 20; i++) await call();
    for (let i = 0; i < warmCalls; i++) warm[1].push(await milliseconds(() => call()));
    for (let i = 0; i < rounds; i++) warm[0].push(await milliseconds(() => master(verb, '--json')));
    const [sshWarm, grpcWarm] = warm.map(p50) as [number, number];
    console.log(
      `${verb.padEnd(8)} warm  ssh with ControlMaster ${sshWarm.toFixed(1)} ms, remote ${grpcWarm.toFixed(2)} ms (target: at most 3)`,
    );
    open.close();
  }
} finally {
  await server.stop();
  await rm(folder, { recursive: true });
}
