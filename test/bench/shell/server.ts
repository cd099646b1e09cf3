/** The server for benchmarks: the built program on the simulated host, in a home of its own, with several admins. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { childrenOf } from './processes.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

export interface BenchServer {
  readonly port: number;
  readonly core: number;
  readonly front: number;
  /** Private key files of its admins. */
  readonly keys: readonly string[];
  /** A public key for new containers. */
  readonly publicKey: string;
  stop(): Promise<void>;
}

export interface BenchServerOptions {
  /** Command that runs the server, and keeps its process ID. */
  readonly within?: readonly string[];
  /** Destination of the log: a file descriptor, the standard error of this process, or nothing. */
  readonly logTo?: number | 'inherit' | 'ignore';
  /** Contents of containarium.yaml. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export async function startServer(
  admins: number,
  { within = [], logTo = 'inherit', config, env: more = {} }: BenchServerOptions = {},
): Promise<BenchServer> {
  const folder = await mkdtemp(join(tmpdir(), 'shell-bench-'));
  const home = join(folder, 'home');
  await mkdir(join(folder, 'empty'));
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: join(folder, 'empty'),
    USER: 'bench',
    CONTAINARIUM_HOME: home,
    CONTAINARIUM_HOST: 'simulated',
    // A create takes seconds, as on a real host.
    CONTAINARIUM_SIMULATED_PACE_MS: '100',
    CONTAINARIUM_LISTEN: '127.0.0.1:0',
    ...more,
  };
  if (config !== undefined) {
    await mkdir(home, { mode: 0o711 });
    await writeFile(join(home, 'containarium.yaml'), config);
  }
  // A free port for the inspector, which measures the live heap (test/soak/inspector.ts).
  const [program, ...args] = [...within, process.execPath, '--inspect-port=127.0.0.1:0', main, 'serve'];
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', logTo] });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGTERM');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const port = await listening(child);
    const core = child.pid ?? -1;
    const front = childrenOf(core)[0];
    if (front === undefined) throw new Error('the server has no front');
    const keys: string[] = [];
    let publicKey = '';
    for (let i = 1; i <= admins; i++) {
      const key = join(folder, `admin-${i}`);
      await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `admin-${i}`, '-f', key]);
      publicKey = (await readFile(`${key}.pub`, 'utf8')).trim();
      await run(process.execPath, [main, 'admin', 'add', `admin-${i}`, '--ssh-key', publicKey], { env });
      keys.push(key);
    }
    return { port, core, front, keys, publicKey, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits for the end of the banner. Resolves to the port. */
function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let banner = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      banner += chunk.toString();
      const port = /^Listening: 127\.0\.0\.1:(\d+)$/m.exec(banner)?.[1];
      if (port !== undefined && / create alice < .*\n/.test(banner)) resolve(Number(port));
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${String(code)}`)));
  });
}
