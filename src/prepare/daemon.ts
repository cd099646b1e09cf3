/** Starts lxcfs and the Incus daemon: through systemd if it is PID 1, else directly (containers, other inits). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdir, open, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Failure } from '../domain/failure.ts';
import { durationInWords } from '../domain/values/duration.ts';
import { defaultIncusFolder, incusFolder } from '../host/incus/folder.ts';
import { systemPath } from '../domain/systemPath.ts';
import { run, succeeds } from './programs.ts';

/** Returns the folder of the daemon that this environment selects: `INCUS_DIR`, as Incus itself reads it. */
export function incusDir(env: Readonly<Record<string, string>> = {}): string {
  return env['INCUS_DIR'] ?? incusFolder();
}

const lxcfsMount = '/var/lib/lxcfs';

/** How long a start may take, in seconds: the first start creates a database and keys. */
const readySeconds = 120;

/** Reports whether systemd runs this machine (sd_booted(3)). */
export async function hasSystemd(): Promise<boolean> {
  return access('/run/systemd/system').then(
    () => true,
    () => false,
  );
}

/** Returns the path of the daemon, which Debian and Ubuntu keep outside the PATH. */
export async function findIncusd(): Promise<string> {
  for (const path of [
    '/usr/libexec/incus/incusd',
    '/usr/lib/incus/incusd',
    '/opt/incus/bin/incusd',
    '/usr/sbin/incusd',
    '/usr/bin/incusd',
  ]) {
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  throw new Failure('program-missing', { what: '"incusd"', why: 'the Incus daemon is not installed on this machine' });
}

/** Reports whether a Unix socket accepts connections. */
export async function socketAnswers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Returns the mount points of this machine, from mountinfo (proc(5)), with octal escapes decoded. */
export async function mountPoints(): Promise<string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  return text
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((path) => path !== undefined)
    .map((path) => path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
}

/**
 * Starts a program that outlives this process, in a session of its own, with its output appended to a log.
 *
 * @returns its process id; rejects if it cannot be started
 */
export async function startDetached(
  program: string,
  args: readonly string[],
  log: string,
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  await mkdir(dirname(log), { recursive: true });
  const file = await open(log, 'a', 0o640);
  try {
    const child = spawn(program, args, {
      detached: true,
      cwd: '/',
      stdio: ['ignore', file.fd, file.fd],
      // A fresh environment: a daemon must not keep a caller's settings or secrets.
      env: { PATH: `/usr/libexec/incus:${systemPath}`, LC_ALL: 'C.UTF-8', ...env },
    });
    await once(child, 'spawn');
    child.on('error', () => undefined);
    child.unref();
    if (child.pid === undefined)
      throw new Failure('program-failed', { what: `"${program}"`, why: 'it could not be started' });
    return child.pid;
  } catch (error) {
    throw error instanceof Failure
      ? error
      : new Failure('program-failed', { what: `"${program}"`, why: String(error) }, error);
  } finally {
    await file.close();
  }
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Starts lxcfs if it is not running. Without it containers work, but show the host's memory and CPUs. */
export async function startLxcfs(say: (line: string) => void): Promise<void> {
  if ((await mountPoints()).includes(lxcfsMount)) return;
  if (
    !(await access('/dev/fuse').then(
      () => true,
      () => false,
    ))
  ) {
    say('There is no /dev/fuse, so lxcfs cannot run: containers will show the memory and CPUs of the host');
    return;
  }
  say('Starting lxcfs');
  await mkdir(lxcfsMount, { recursive: true });
  const pid = await startDetached('lxcfs', [lxcfsMount], '/var/log/lxcfs.log');
  const mounted = async (): Promise<boolean> => (await mountPoints()).includes(lxcfsMount);
  for (const end = Date.now() + 10_000; Date.now() < end && runs(pid) && !(await mounted());) await setTimeout(50);
  if (!(await mounted()))
    say('lxcfs did not start (see /var/log/lxcfs.log): containers will show the memory and CPUs of the host');
}

/** Waits until the daemon answers. Rejects with `incus-unavailable`, which names its log. */
export async function waitForIncus(
  incusd: string,
  log: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  try {
    await run(incusd, ['waitready', '--timeout', String(readySeconds)], { timeoutMs: (readySeconds + 10) * 1000, env });
  } catch (error) {
    throw new Failure(
      'incus-unavailable',
      {
        what: 'the Incus daemon',
        why: `it was not ready within ${durationInWords(readySeconds * 1000)}`,
        next: `see ${log}`,
      },
      error,
    );
  }
}

/** Starts lxcfs and the machine's Incus, now and at boot. */
export async function startIncusDaemon(say: (line: string) => void): Promise<void> {
  const incusd = await findIncusd();
  const folder = incusDir();
  // Another folder means a daemon beside the machine's own, which no systemd unit starts.
  if (folder === defaultIncusFolder && (await hasSystemd())) {
    const units = ['lxcfs.service', 'incus.socket', 'incus.service'];
    // For several units, `is-active` and `is-enabled` succeed if any one is, so query each on its own.
    const all = async (verb: string, names: readonly string[]): Promise<boolean> =>
      (await Promise.all(names.map((unit) => succeeds('systemctl', [verb, '--quiet', unit])))).every(Boolean);
    // incus.service starts lxcfs.service, which skips itself in a container: its state means nothing.
    const active = await all('is-active', ['incus.socket', 'incus.service']);
    // incus.service has no [Install] section; its socket stands for it.
    const enabled = await all('is-enabled', ['lxcfs.service', 'incus.socket']);
    if (!active || !enabled) {
      say(`Starting ${units.join(', ')}, also at boot`);
      await run('systemctl', ['enable', '--now', ...units], { timeoutMs: 10 * 60_000 });
    }
    await waitForIncus(incusd, 'journalctl -u incus');
    return;
  }
  await startLxcfs(say);
  const log = folder === defaultIncusFolder ? '/var/log/incus/incus.log' : join(folder, 'incusd.log');
  if (!(await socketAnswers(join(folder, 'unix.socket')))) {
    say('Starting the Incus daemon without systemd; after a reboot, start it the same way');
    await startDetached(incusd, ['--group', 'incus-admin', '--logfile', log], log.replace(/\.log$/, '.start.log'), {
      INCUS_DIR: folder,
    });
  }
  await waitForIncus(incusd, log);
}
