/** The lock of the installer: two that change one machine at the same time would undo each other's work. */
import { execa } from 'execa';
import { Failure } from '../../domain/failure.ts';
import { systemPath } from '../../domain/systemPath.ts';

/** A folder that only root may write, and that is empty after a boot. */
const lockFile = '/run/containarium-install.lock';

/** The exit code of flock(1) for a lock that another process holds. */
const heldExit = 75;

/**
 * Does the work while no other installer runs. Rejects with `busy` if one does. The lock ends with this process,
 * however it ends: `flock` and the `cat` that it runs end when their standard input is closed.
 */
export async function onlyInstaller<T>(work: () => Promise<T>, file: string = lockFile): Promise<T> {
  const args = ['--exclusive', '--nonblock', '--conflict-exit-code', String(heldExit), file, 'cat'];
  const lock = execa('flock', args, {
    env: { PATH: systemPath, LC_ALL: 'C' },
    extendEnv: false,
    reject: false,
    buffer: { stdout: false },
    encoding: 'utf8',
    // In the session of the terminal it would end with it, and another installer could start beside this one.
    detached: true,
  });
  lock.stdin.write('held\n');
  const isHeld = new Promise<boolean>((resolve) =>
    lock.stdout.once('readable', () => resolve(lock.stdout.read() !== null)),
  );
  if (!(await Promise.race([isHeld, lock.then(() => false)]))) throw refused(await lock);
  try {
    return await work();
  } finally {
    lock.stdin.end();
    await lock;
  }
}

function refused({ exitCode, stderr }: { readonly exitCode?: number; readonly stderr: string }): Failure {
  if (exitCode === heldExit)
    return new Failure('busy', {
      what: 'the installation',
      why: 'another one runs on this machine',
      next: 'wait until it has ended',
    });
  return new Failure('program-failed', {
    what: '"flock"',
    why: stderr.trim() || `it exited with status ${String(exitCode)}`,
  });
}
