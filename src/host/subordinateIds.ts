/**
 * The subordinate ids of root (subuid(5), subgid(5)), from which Incus takes the ids of containers. It reads them when
 * its daemon starts, gives isolated containers 65,536 each from the first range after the first 65,536, and takes the
 * uids of a container for its gids as well (incus 6.0, findIdmap). With several ranges it cannot start a container that
 * is not isolated. So root needs one large range, the same in both files.
 */
import { readFile } from 'node:fs/promises';

/** Ids of one isolated container. */
const idsPerContainer = 65_536;

/** Number of containers for which ids are prepared. */
export const preparedContainers = 250;

/** Where Debian's and Incus's own packages begin, and how many ids they reserve. */
const firstId = 1_000_000;
const usualIds = 1_000_000_000;

/** The largest id is 2^32 - 2: the last one means "no id" (user_namespaces(7)). */
const endId = 2 ** 32 - 1;

export interface IdRange {
  readonly owner: string;
  readonly first: number;
  readonly count: number;
}

export interface SubordinateIds {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** Parses /etc/subuid or /etc/subgid. Skips lines that are no range, as the programs of the shadow suite do. */
export function parseIdRanges(text: string): IdRange[] {
  return text.split('\n').flatMap((line) => {
    const [, owner, first, count] = /^([^:#]+):(\d{1,10}):(\d{1,10})\s*$/.exec(line) ?? [];
    return owner === undefined ? [] : [{ owner, first: Number(first), count: Number(count) }];
  });
}

/** Reads both files; a file that does not exist has no ranges. Rejects if one cannot be read. */
export async function readSubordinateIds(folder = '/etc'): Promise<SubordinateIds> {
  const read = async (name: string): Promise<IdRange[]> => {
    try {
      return parseIdRanges(await readFile(`${folder}/${name}`, 'utf8'));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
  };
  const [uids, gids] = await Promise.all([read('subuid'), read('subgid')]);
  return { uids, gids };
}

/** Returns how many isolated containers a range of this many ids holds: the first block stays with the others. */
export function roomFor(ids: number): number {
  // Incus also leaves the last id free.
  return Math.max(0, Math.floor((ids - 1) / idsPerContainer) - 1);
}

const neededIds = (preparedContainers + 2) * idsPerContainer;

/** Root's ids as Incus uses them: room for containers, or the fault that keeps it from isolating them. */
export type RootIds =
  { readonly range: IdRange; readonly containers: number } | { readonly fault: 'none' | 'several' | 'differ' };

const isRoot = ({ owner, count }: IdRange): boolean =>
  // Incus leaves out ranges that hold no POSIX user and group ids.
  (owner === 'root' || owner === '0') && count >= idsPerContainer;

export function rootIds({ uids, gids }: SubordinateIds): RootIds {
  const [ours, groups] = [uids.filter(isRoot), gids.filter(isRoot)];
  const [range] = ours;
  const [group] = groups;
  if (range === undefined || group === undefined) return { fault: ours.length + groups.length > 0 ? 'differ' : 'none' };
  if (ours.length > 1 || groups.length > 1) return { fault: 'several' };
  if (range.first !== group.first || range.count !== group.count) return { fault: 'differ' };
  return { range, containers: roomFor(range.count) };
}

/** A change of root's ranges: the one that goes, and the one that comes, which contains it. */
export interface IdChange {
  readonly remove?: IdRange;
  readonly add: IdRange;
}

/**
 * Returns the change that gives root room for {@link preparedContainers}, undefined if it has the room, or `null` if
 * only an admin can make room: a range never shrinks, never moves, and never overlaps one of another account or an id
 * in `used`.
 */
export function idChange(ids: SubordinateIds, used: readonly number[] = []): IdChange | undefined | null {
  const root = rootIds(ids);
  if ('fault' in root && root.fault !== 'none') return null;
  const others = [...ids.uids, ...ids.gids].filter((range) => !isRoot(range));
  const taken = [
    ...others.map(({ first, count }) => [first, first + count] as const),
    ...used.map((id) => [id, id + 1] as const),
  ];
  if ('range' in root) {
    const { range, containers } = root;
    if (containers >= preparedContainers) return undefined;
    // Grows at its end, up to the next range, and to no more than the usual size.
    const limit = Math.min(endId, ...taken.filter(([, end]) => end > range.first).map(([first]) => first));
    const count = Math.min(limit - range.first, usualIds);
    return count < neededIds ? null : { remove: range, add: { ...range, count } };
  }
  const first = Math.max(firstId, ...taken.map(([, end]) => end));
  const count = Math.min(endId - first, usualIds);
  return count < neededIds ? null : { add: { owner: 'root', first, count } };
}

/** Returns the arguments of usermod(8) for a change of both files. It removes before it adds, in one run. */
export function usermodArguments({ remove, add }: IdChange): string[] {
  const text = ({ first, count }: IdRange): string => `${first}-${first + count - 1}`;
  return [
    ...(remove === undefined ? [] : ['--del-subuids', text(remove), '--del-subgids', text(remove)]),
    ...['--add-subuids', text(add), '--add-subgids', text(add)],
    'root',
  ];
}
