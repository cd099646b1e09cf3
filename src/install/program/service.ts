/** Starts the installed service, and finds out whether it works. */
import { once } from 'node:events';
import { connect } from 'node:net';
import pRetry, { AbortError } from 'p-retry';
import { Failure, isFailure } from '../../domain/failure.ts';
import { run as runHere, succeeds, type RunOptions, type RunResult } from '../../prepare/programs.ts';
import { defaultHomes } from '../../settings/home.ts';
import { readSettings } from '../../settings/settings.ts';
import { installedCommand, serviceUnit } from './layout.ts';

/** How long a started service may take until it answers, in milliseconds. It first ends unfinished operations. */
const healthyMs = 90_000;

/** How often systemd may start it again before that is no longer waited for. */
const maxRestarts = 3;

/** A restart waits for running operations (TimeoutStopSec of the unit), in milliseconds. */
const restartMs = 150_000;

/** How long a service that was not restarted now may take until it answers, in milliseconds: it may be starting. */
const runningMs = 10_000;

function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runHere(program, args, { ...options, outlivesTerminal: true });
}

export function isServiceActive(): Promise<boolean> {
  return succeeds('systemctl', ['is-active', '--quiet', serviceUnit]);
}

/** Starts the service, now and at boot. A running one is restarted, after its operations have ended. */
export async function startService(): Promise<void> {
  await run('systemctl', ['enable', '--quiet', serviceUnit]);
  await run('systemctl', ['restart', serviceUnit], { timeoutMs: restartMs });
}

/**
 * Waits until core answers with this version, and its front with the greeting of SSH. Throws `unhealthy` if they do not
 * within 90 s, or if the service keeps ending.
 */
export async function requireHealthy(version: string, timeoutMs = healthyMs): Promise<void> {
  const attempt = async (): Promise<void> => {
    const why = (await coreFault(version)) ?? (await frontFault());
    if (why === undefined) return;
    const fault = new Failure('unhealthy', {
      what: `version ${version} of the service`,
      why,
      next: 'see what it says: journalctl -u containarium -u containarium-front',
    });
    throw (await keepsEnding()) ? new AbortError(fault) : fault;
  };
  await pRetry(attempt, { retries: Infinity, minTimeout: 500, factor: 1, maxRetryTime: timeoutMs });
}

/** Reports whether the service is active, and works as {@link requireHealthy} demands. */
export async function isHealthy(version: string): Promise<boolean> {
  if (!(await isServiceActive())) return false;
  try {
    await requireHealthy(version, runningMs);
    return true;
  } catch (error) {
    if (isFailure(error, 'unhealthy')) return false;
    throw error;
  }
}

/** Reports whether systemd has given the service up, or has already started it again several times. */
async function keepsEnding(): Promise<boolean> {
  const { stdout } = await run('systemctl', ['show', '--property=ActiveState,NRestarts', serviceUnit]);
  const restarts = Number(/^NRestarts=(\d+)$/m.exec(stdout)?.[1] ?? 0);
  return /^ActiveState=failed$/m.test(stdout) || restarts >= maxRestarts;
}

async function coreFault(version: string): Promise<string | undefined> {
  const { stdout } = await run(installedCommand, ['version', '--json'], { allowExit: 'any' });
  try {
    const { result } = JSON.parse(stdout) as { result?: { version?: unknown } };
    if (result === undefined) return 'it does not answer on its local socket';
    return result.version === version ? undefined : `another version answers: ${String(result.version)}`;
  } catch {
    return 'it does not answer on its local socket';
  }
}

/** Returns why the SSH server does not answer at the configured port. */
async function frontFault(): Promise<string | undefined> {
  const { address, port } = (await readSettings(defaultHomes.system.configuration, false)).listen;
  const socket = connect({ host: address, port, timeout: 5000 });
  socket.on('timeout', () => socket.destroy(new Error('no greeting within 5 s')));
  try {
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    return greeting.toString('latin1').startsWith('SSH-2.0-') ? undefined : `port ${port} does not speak SSH`;
  } catch (error) {
    return `port ${port}: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    socket.destroy();
  }
}
