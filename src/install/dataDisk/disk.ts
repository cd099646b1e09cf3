/** Says what is on a disk, from lsblk(8) and from its first and last bytes. */
import { open, realpath, stat } from 'node:fs/promises';
import * as z from 'zod';
import { check, misfitText } from '../../domain/check.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { run } from '../../prepare/programs.ts';
import { poolName } from './names.ts';

const nodeFields = {
  name: z.string(),
  type: z.string(),
  size: z.number(),
  fstype: z.string().nullable(),
  label: z.string().nullable(),
  pttype: z.string().nullable(),
  mountpoints: z.array(z.string().nullable()),
};
const node = z.object({ ...nodeFields, children: z.array(z.object(nodeFields)).optional() });
const answer = z.looseObject({ blockdevices: z.array(node).length(1) });

/** One block device with its partitions, as lsblk lists them. */
export type BlockDevice = z.output<typeof node>;

/** What a disk is for the installer: empty, or with our pool on the device `member`. */
export type DiskState = { readonly kind: 'empty' } | { readonly kind: 'ours'; readonly member: string };

const gibibyte = 1024 ** 3;
const minDiskBytes = 8 * gibibyte;

/** How much at each end of a disk must be zero for it to count as empty, in bytes. Partition tables are there. */
const endBytes = 1024 ** 2;

/** Decides from the list of lsblk. Throws `wrong-state`, with the reason, for a disk that may hold something else. */
export function stateOf(disk: BlockDevice): DiskState {
  const nodes = [disk, ...(disk.children ?? [])];
  const member = nodes.find(({ fstype, label }) => fstype === 'zfs_member' && label === poolName);
  const mounted = nodes.flatMap(({ mountpoints }) => mountpoints).find((path) => path !== null);
  if (mounted !== undefined) throw refused(disk.name, `it is in use: ${mounted}`);
  if (!['disk', 'part', 'loop'].includes(disk.type)) throw refused(disk.name, `it is not a disk, but "${disk.type}"`);
  if (member !== undefined) return { kind: 'ours', member: member.name };
  for (const { name, fstype, label, pttype } of nodes) {
    const found = fstype ?? (pttype === null ? undefined : `a partition table (${pttype})`);
    if (found !== undefined)
      throw refused(disk.name, `it is not empty: ${name} has ${found}${label === null ? '' : ` ${quoted(label)}`}`);
  }
  if (nodes.length > 1) throw refused(disk.name, 'it is not empty: it has partitions');
  if (disk.size < minDiskBytes)
    throw refused(disk.name, `it has ${(disk.size / gibibyte).toFixed(1)} GiB, but at least 8 GiB are needed`);
  return { kind: 'empty' };
}

/** Returns what is on a disk. Rejects with `not-found` or `wrong-state`. Changes nothing. */
export async function diskState(device: string): Promise<DiskState> {
  const path = await realpath(device).catch(() => undefined);
  if (path === undefined)
    throw new Failure('not-found', {
      what: `disk ${quoted(device)}`,
      why: 'there is no such device',
      next: 'see which there are: lsblk --paths, ls /dev/disk/by-id',
    });
  if (!(await stat(path)).isBlockDevice()) throw refused(device, 'it is not a block device');
  const columns = 'NAME,TYPE,SIZE,FSTYPE,LABEL,PTTYPE,MOUNTPOINTS';
  const { stdout } = await run('lsblk', ['--json', '--bytes', '--paths', '--output', columns, path]);
  const checked = check(answer, JSON.parse(stdout));
  if (checked.misfit !== undefined)
    throw new Failure('unexpected-output', {
      what: `"lsblk ${path}"`,
      why: misfitText(checked.misfit, 'its output'),
    });
  const [disk] = checked.value.blockdevices;
  if (disk === undefined) throw refused(path, 'lsblk does not list it');
  const state = stateOf(disk);
  if (state.kind === 'empty' && !(await hasZeroEnds(path, disk.size)))
    throw refused(
      path,
      'it is not empty: there are bytes at its beginning or its end that no known file system has written',
    );
  return state;
}

async function hasZeroEnds(path: string, size: number): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    for (const position of [0, size - endBytes]) {
      const { buffer } = await file.read(Buffer.alloc(endBytes), 0, endBytes, position);
      if (buffer.some((byte) => byte !== 0)) return false;
    }
    return true;
  } finally {
    await file.close();
  }
}

function refused(device: string, why: string): Failure {
  return new Failure('wrong-state', {
    what: `disk ${quoted(device)}`,
    why,
    next: 'name another disk, or, if nothing on it is needed, empty it yourself: blkdiscard, or wipefs --all and dd',
  });
}
