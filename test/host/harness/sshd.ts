/** A private OpenSSH server on its own port, with the settings of a real one and a drop-in under test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { Failure } from '../../../src/domain/failure.ts';
import { run } from '../../../src/prepare/programs.ts';
import { endProcesses, processes, waitUntil, withDescendants } from './processes.ts';

const sshdPath = '/usr/sbin/sshd';

export interface RunningSshd {
  readonly port: number;
  /** Type and key, as in a known_hosts line without its first field. */
  readonly hostKeyPublicLine: string;
  readonly configPath: string;
  readonly logPath: string;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** Reports whether an SSH server sends its greeting on a port of this machine (RFC 4253, section 4.2). */
async function greets(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    const [first] = (await once(socket, 'data', { signal: AbortSignal.timeout(2000) })) as [Buffer];
    return first.toString('latin1').startsWith('SSH-2.0-');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export interface SshdOptions {
  /** An existing folder, owned by root with all its parents; the server gets its own folder in it. */
  readonly dir: string;
  /** Text at the start of the configuration, where Debian includes its drop-ins. */
  readonly dropIn: string;
  readonly port?: number;
}

/** Starts a server and waits for its greeting. It ends with this process at the latest. */
export async function startSshd({ dir, dropIn, port }: SshdOptions): Promise<RunningSshd> {
  // The privilege separation folder, which a system without systemd does not create (sshd(8)).
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const folder = await mkdtemp(join(dir, 'sshd-'));
  const key = join(folder, 'host_key');
  const configPath = join(folder, 'sshd_config');
  const logPath = join(folder, 'sshd.log');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key]);
  const hostKeyPublicLine = (await readFile(`${key}.pub`, 'utf8')).trim();
  await writeFile(join(folder, 'drop-in.conf'), dropIn);

  const listenPort = port ?? (await freePort());
  await writeFile(
    configPath,
    [
      `Include ${join(folder, 'drop-in.conf')}`,
      `Port ${listenPort}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${key}`,
      'PidFile none',
      'LogLevel VERBOSE',
      'UsePAM no',
      'StrictModes yes',
      'KbdInteractiveAuthentication no',
      'X11Forwarding yes',
      'Subsystem sftp /usr/lib/openssh/sftp-server',
      '',
    ].join('\n'),
  );
  await run(sshdPath, ['-t', '-f', configPath]);

  const log = await open(logPath, 'a');
  const child = spawn(sshdPath, ['-D', '-e', '-f', configPath], { stdio: ['ignore', 'ignore', log.fd] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  await once(child, 'spawn').finally(() => log.close());

  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    const all = await processes();
    // A connection's process leads its own session, so it does not end with the listener.
    await endProcesses(
      withDescendants(
        all,
        all.filter((each) => each.pid === child.pid),
      ),
      2000,
    );
    await rm(folder, { recursive: true, force: true });
  };
  if (
    !(await waitUntil(async () => child.exitCode !== null || (await greets(listenPort)), 10_000)) ||
    child.exitCode !== null
  ) {
    const said = await readFile(logPath, 'utf8');
    await stop();
    throw new Failure('internal', { what: "the test's sshd", why: `it did not start: ${said.slice(-1000)}` });
  }
  return { port: listenPort, hostKeyPublicLine, configPath, logPath, stop };
}
