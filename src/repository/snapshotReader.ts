/**
 * A program that reads a snapshot of a container on ZFS, for backups: `list DATASET@SNAPSHOT` prints the checksums of
 * its files as sha256sum(1) does, and `check DATASET@SNAPSHOT` says what is wrong with the folder of the instance.
 *
 * It runs in a transient unit with a mount namespace of its own (src/host/zfs/zfs.ts). There it mounts the snapshot,
 * and starts itself again with no right but that to read every file.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { systemPath } from '../domain/systemPath.ts';
import { listFolder, volumeTrouble } from './folderFiles.ts';

/** Exit code of `check` for a folder with which something is wrong. */
const troubleExit = 3;

/** setpriv(1): of root's capabilities, that which reads every file. */
const reading = '-all,+dac_read_search';

function runMounted(verb: string, snapshot: string): number {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.:/-]*@[A-Za-z0-9_.:-]+$/.test(snapshot))
    throw new Error('this is no name of a snapshot');
  const folder = mkdtempSync(join(tmpdir(), 'snapshot-'));
  const options = ['-t', 'zfs', '-o', 'ro,nosuid,nodev,noexec', snapshot, folder];
  const env = { ...process.env, PATH: systemPath };
  const mounted = spawnSync('mount', options, { stdio: ['ignore', 'ignore', 'inherit'], env });
  if (mounted.status !== 0) return 1;
  const self = [process.execPath, fileURLToPath(import.meta.url), `mounted-${verb}`, folder];
  const as = ['--no-new-privs', '--bounding-set', reading, '--inh-caps', reading, '--'];
  return spawnSync('setpriv', [...as, ...self], { stdio: 'inherit', env }).status ?? 1;
}

async function list(folder: string): Promise<number> {
  const count = { listed: 0, omitted: 0 };
  await pipeline(Readable.from(listFolder(join(folder, 'rootfs'), count)), process.stdout);
  process.stderr.write(`${count.listed} listed, ${count.omitted} omitted\n`);
  return 0;
}

function check(folder: string): number {
  const trouble = volumeTrouble(folder);
  if (trouble === undefined) return 0;
  process.stderr.write(`${trouble}\n`);
  return troubleExit;
}

const [verb = '', operand = ''] = process.argv.slice(2);
if (verb === 'list' || verb === 'check') process.exitCode = runMounted(verb, operand);
else if (verb === 'mounted-list') process.exitCode = await list(operand);
else if (verb === 'mounted-check') process.exitCode = check(operand);
else throw new Error('usage: snapshotReader list|check DATASET@SNAPSHOT');
