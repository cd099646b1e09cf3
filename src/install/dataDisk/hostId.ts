/**
 * The host id by which ZFS tells machines apart. Two machines with the same one could use one pool at the same time:
 * ZFS does not watch for another machine if the pool was last used under its own id (zpool-import(8), zgenhostid(8)).
 */
import { readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { exists } from '../../prepare/files.ts';
import { run } from '../../prepare/programs.ts';
import type { Say } from '../step/step.ts';

const hostIdFile = '/etc/hostid';
/** Says for which machine the host id was made: an image may bring along both files. */
const noteFile = '/etc/containarium.hostid';

/**
 * Gives this machine a host id of its own. One that was there before, such as that of the image, stays only on a
 * machine with other pools, which it could not import at its next boot otherwise. Call it while the pool is not
 * imported.
 */
export async function ensureHostId(say: Say): Promise<void> {
  const machine = await readFile('/etc/machine-id', 'utf8');
  if (await exists(hostIdFile)) {
    if ((await exists(noteFile)) && (await readFile(noteFile, 'utf8')) === machine) return;
    if ((await run('zpool', ['list', '-H', '-o', 'name'])).stdout.trim() !== '') return;
  }
  say(`Writing ${hostIdFile}, by which ZFS tells machines apart`);
  await run('zgenhostid', ['-f']);
  await writeFileAtomic(noteFile, machine, { mode: 0o600 });
}
