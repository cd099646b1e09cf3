/** Unmounts everything below a folder, so that removing the folder removes nothing else. */
import { rm } from 'node:fs/promises';
import { Failure } from '../../../src/domain/failure.ts';
import { mountPoints } from '../../../src/prepare/daemon.ts';
import { run, succeeds } from '../../../src/prepare/programs.ts';

export async function mountsUnder(folder: string): Promise<string[]> {
  return (await mountPoints()).filter((path) => path === folder || path.startsWith(`${folder}/`));
}

/** Unmounts everything below a folder, innermost first. A busy mount is detached, and ends with its last user. */
export async function unmountUnder(folder: string): Promise<void> {
  // Mounts may be stacked on one path: each round removes the topmost.
  for (let round = 0; round < 10; round += 1) {
    const mounts = (await mountsUnder(folder)).sort((a, b) => b.length - a.length);
    if (mounts.length === 0) return;
    for (const path of mounts) {
      if (!(await succeeds('umount', [path]))) await succeeds('umount', ['--lazy', path]);
    }
  }
}

/**
 * Frees the loop devices whose file is below a folder. Those of an unmounted pool free themselves; those of a killed
 * daemon's pool may not.
 */
export async function freeLoopDevices(folder: string): Promise<void> {
  const { stdout } = await run('losetup', ['--list', '--json', '--output', 'NAME,BACK-FILE']);
  if (stdout.trim() === '') return;
  const { loopdevices } = JSON.parse(stdout) as { loopdevices: { name: string; 'back-file': string | null }[] };
  for (const device of loopdevices) {
    if (device['back-file']?.startsWith(`${folder}/`) === true) await succeeds('losetup', ['--detach', device.name]);
  }
}

/** Removes a folder and everything in it, but never anything that is mounted there. */
export async function removeFolder(folder: string): Promise<void> {
  await unmountUnder(folder);
  const left = await mountsUnder(folder);
  if (left.length > 0)
    throw new Failure('internal', { what: folder, why: `it cannot be removed: ${left.join(', ')} is still mounted` });
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
