/**
 * A running server for tests: the built program in a process and a home of its own, on the simulated host and a free
 * port. Tests talk to it with the stock OpenSSH client. When the test file ends, servers are stopped and folders
 * removed.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { execa, type ResultPromise } from 'execa';
import { stringify as yaml } from 'yaml';
import { afterAll, vi } from 'vitest';

export { eventually } from './eventually.ts';

// Tests wait for processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

export const repository = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export interface ServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Contents of containarium.yaml. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Module to run instead of the built program. */
  readonly program?: string;
  /** Command prefix, for instance {@link inNewNetwork}, which keeps the process ID of the server. */
  readonly within?: readonly string[];
  /** Called with the home before the first start. */
  readonly prepare?: (home: string) => Promise<void>;
}

export interface CommandOptions {
  readonly stdin?: string | Uint8Array;
  /** Keeps standard input open. Default: standard input is `stdin` or /dev/null. */
  readonly openStdin?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with all that a command on the host has written to standard error, whenever that is more. */
  readonly said?: (stderr: string, child: Pick<ResultPromise, 'kill'>) => void;
}

export interface SshCommandOptions extends CommandOptions {
  /** Private key file. Default: the admin's. */
  readonly key?: string;
  /** Login name. Default: `manage`. */
  readonly user?: string;
  /** Requests a terminal (`-tt`). */
  readonly tty?: boolean;
  /** Shares a connection that stays open (ControlMaster), which is much faster. */
  readonly shared?: boolean;
  /** More options of ssh(1). */
  readonly options?: readonly string[];
}

export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code, or -1 if a signal ended the program. */
  readonly code: number;
}

export interface TestServer {
  readonly port: number;
  readonly home: string;
  /** Private key file of the admin, made at the first start. */
  readonly adminKey: string;
  readonly banner: string;
  /** Process ID of core. */
  readonly pid: number;
  /** Runs ssh with these words as the command. */
  ssh(words: readonly string[], options?: SshCommandOptions): Promise<Finished>;
  /** Starts ssh without waiting for its end. */
  startSsh(words: readonly string[], options?: SshCommandOptions): ResultPromise<typeof captured>;
  /** Returns the arguments of ssh(1) up to and including the host. */
  sshArguments(options?: SshCommandOptions): string[];
  /** Runs the local command line. */
  local(words: readonly string[], options?: CommandOptions): Promise<Finished>;
  /** Returns what core and front have written to standard error so far. */
  log(): string;
  /** Sends SIGTERM. Resolves to the exit code. */
  stop(): Promise<number>;
  /** Sends SIGKILL and waits for the end. */
  kill(): Promise<void>;
  /** Starts the server again in the same home, on another port unless one is configured. */
  restart(): Promise<void>;
}

const captured = { reject: false, stripFinalNewline: false, buffer: true } as const;
const main = join(repository, 'dist', 'main.js');

/**
 * Returns a program for {@link ServerOptions} that root runs with supplementary groups, as in a login shell, to test
 * that the server drops them.
 */
export async function programInGroups(): Promise<string> {
  const path = join(await temporaryFolder(), 'main.mjs');
  await writeFile(
    path,
    `if (process.getuid() === 0) process.setgroups([0, 4, 24]);\nawait import(${JSON.stringify(pathToFileURL(main).href)});\n`,
  );
  return path;
}

let built: Promise<unknown> | undefined;

/** Builds once. flock(1) keeps the workers of a test run from building at the same time. */
function build(): Promise<unknown> {
  built ??= execa('flock', [
    join(repository, 'package.json'),
    process.execPath,
    join(repository, 'src', 'bootstrap.mjs'),
    '--quiet',
  ]);
  return built;
}

const cleanups: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Makes a folder that is removed when the test file ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'containarium-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function finished({
  stdout,
  stderr,
  exitCode,
}: {
  stdout: string;
  stderr: string;
  exitCode?: number | undefined;
}): Finished {
  return { stdout, stderr, code: exitCode ?? -1 };
}

/**
 * Option of Node.js for a free inspector port. Tests measure live memory through the inspector
 * (test/soak/inspector.ts).
 */
const inspectorPort = '--inspect-port=127.0.0.1:0';

export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  await build();
  const folder = await temporaryFolder();
  const home = join(folder, 'home');
  await mkdir(home, { mode: 0o711 });
  await mkdir(join(folder, 'empty'));
  await writeFile(join(home, 'containarium.yaml'), yaml(withoutPenalties(options.config ?? {})));
  await options.prepare?.(home);
  const server = new RunningServer(folder, options.env ?? {}, [
    ...(options.within ?? []),
    process.execPath,
    inspectorPort,
    options.program ?? main,
    'serve',
  ]);
  cleanups.push(() => server.end());
  await server.start();
  return server;
}

/**
 * Exempts 127.0.0.1 from penalties: most tests have many clients at that address, and many of those fail on purpose.
 * Tests of penalties use other addresses of the loopback network, or set `exempt` themselves.
 */
function withoutPenalties(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const ssh = (config['ssh'] ?? {}) as { penalties?: object };
  return { ...config, ssh: { ...ssh, penalties: { exempt: ['127.0.0.1'], ...ssh.penalties } } };
}

class RunningServer implements TestServer {
  readonly home: string;
  readonly adminKey: string;
  port = 0;
  banner = '';
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #command: readonly string[];
  #process: ResultPromise<typeof captured & { stdin: 'ignore' }> | undefined;
  #log = '';
  readonly #masters = new Map<string, string>();
  readonly #opened = new Map<string, Promise<void>>();

  constructor(folder: string, env: Readonly<Record<string, string>>, command: readonly string[]) {
    this.#command = command;
    this.#folder = folder;
    this.home = join(folder, 'home');
    this.adminKey = join(this.home, 'keys', 'admin_ed25519');
    this.#env = env;
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  get #environment(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: join(this.#folder, 'empty'),
      USER: 'tester',
      CONTAINARIUM_HOME: this.home,
      CONTAINARIUM_HOST: 'simulated',
      CONTAINARIUM_SIMULATED_PACE_MS: '0',
      CONTAINARIUM_LISTEN: '127.0.0.1:0',
      ...this.#env,
    };
  }

  async start(): Promise<void> {
    const [program = '', ...args] = this.#command;
    const child = execa(program, args, {
      ...captured,
      stdin: 'ignore',
      extendEnv: false,
      env: this.#environment,
      // A stop waits a minute for running changes.
      forceKillAfterDelay: 120_000,
    });
    this.#process = child;
    child.stderr.on('data', (chunk: Buffer) => (this.#log += chunk.toString()));
    this.banner = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        this.banner += chunk.toString();
        // The last line of the banner.
        if (/ create alice < .*\n/.test(this.banner)) resolve();
      });
      void child.then(({ exitCode }) => reject(new Error(`the server ended with ${exitCode}: ${this.#log}`)));
    });
    const port = /^Listening: 127\.0\.0\.1:(\d+)$/m.exec(this.banner)?.[1];
    if (port === undefined) throw new Error(`no port in the banner: ${this.banner}`);
    this.port = Number(port);
    const hostKey = await readFile(join(this.home, 'keys', 'host_ed25519.pub'), 'utf8');
    await writeFile(join(this.#folder, 'known_hosts'), `[127.0.0.1]:${this.port} ${hostKey}`);
  }

  sshArguments({
    key = this.adminKey,
    user = 'manage',
    tty = false,
    shared = false,
    options = [],
  }: SshCommandOptions = {}): string[] {
    const settings = [
      `UserKnownHostsFile=${join(this.#folder, 'known_hosts')}`,
      'GlobalKnownHostsFile=/dev/null',
      'StrictHostKeyChecking=yes',
      'IdentitiesOnly=yes',
      'IdentityAgent=none',
      'BatchMode=yes',
      'LogLevel=ERROR',
      ...(shared ? [`ControlPath=${this.#master(`${user} ${key}`)}`, 'ControlMaster=auto', 'ControlPersist=60'] : []),
    ];
    return [
      ...['-F', 'none', '-p', String(this.port)],
      ...(tty ? ['-tt'] : []),
      // The caller's options come first, because ssh uses the first value of an option and tries keys in order.
      ...options,
      ...['-i', key],
      ...settings.flatMap((setting) => ['-o', setting]),
      `${user}@127.0.0.1`,
    ];
  }

  /** Returns the control path of a shared connection. */
  #master(id: string): string {
    const path = this.#masters.get(id) ?? join(this.#folder, `master-${this.#masters.size}`);
    this.#masters.set(id, path);
    return path;
  }

  startSsh(words: readonly string[], options: SshCommandOptions = {}): ResultPromise<typeof captured> {
    // ssh(1) also reads options after the host, up to a double hyphen.
    const end = words[0]?.startsWith('-') === true ? ['--'] : [];
    return execa('ssh', [...this.sshArguments(options), ...end, ...words], {
      ...captured,
      ...input(options),
      ...(options.env === undefined ? {} : { env: options.env }),
    }) as never;
  }

  async ssh(words: readonly string[], options: SshCommandOptions = {}): Promise<Finished> {
    if (options.shared === true) await this.#openMaster(options);
    return finished(await this.startSsh(words, options));
  }

  /**
   * Opens the shared connection without pipes, because its process stays in the background and would keep them open.
   */
  #openMaster(options: SshCommandOptions): Promise<void> {
    const args = this.sshArguments(options);
    const id = args.join(' ');
    let opened = this.#opened.get(id);
    if (opened === undefined) {
      opened = execa('ssh', ['-fN', ...args], { stdio: 'ignore' }).then(() => undefined);
      this.#opened.set(id, opened);
    }
    return opened;
  }

  async local(words: readonly string[], options: CommandOptions = {}): Promise<Finished> {
    const child = execa(process.execPath, [main, ...words], {
      ...captured,
      ...input(options),
      extendEnv: false,
      env: { ...this.#environment, ...options.env },
    });
    let text = '';
    child.stderr.on('data', (data: Buffer) => options.said?.((text += data.toString()), child));
    return finished(await child);
  }

  log(): string {
    return this.#log;
  }

  async stop(): Promise<number> {
    const child = this.#process;
    if (child === undefined) return -1;
    child.kill('SIGTERM');
    const { exitCode } = await child;
    return exitCode ?? -1;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    child.kill('SIGKILL');
    await child;
  }

  async restart(): Promise<void> {
    await this.start();
  }

  async end(): Promise<void> {
    for (const path of this.#masters.values()) {
      await execa('ssh', ['-F', 'none', '-O', 'exit', '-o', `ControlPath=${path}`, 'any'], {
        reject: false,
        stdin: 'ignore',
      });
    }
    const child = this.#process;
    if (child === undefined) return;
    // Without this, a running server would write to its home until the test worker ends.
    child.kill('SIGTERM');
    await child;
  }
}

function input(options: CommandOptions): { input?: string | Uint8Array; stdin?: 'ignore' | 'pipe' } {
  if (options.stdin !== undefined) return { input: options.stdin };
  return { stdin: options.openStdin === true ? 'pipe' : 'ignore' };
}
