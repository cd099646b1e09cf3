/** The check of subvolumes, on a simulated host that stands for a real one. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import type { Btrfs, SubvolumeTree } from '../../../../src/host/btrfs.ts';
import { checkSubvolumes } from '../../../../src/service/checks/subvolumeChecks.ts';
import { createContainer } from '../../../../src/service/create.ts';
import type { HostState } from '../../../../src/simulated/state/state.ts';
import { alice, bob, callBy, hosts } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  for (const user of [alice, bob]) await createContainer(world.context, { user, keys: [newKey(user)] }, callBy());
});
const signal = new AbortController().signal;

const btrfsWith = (tree: () => Promise<SubvolumeTree>): Btrfs =>
  ({
    tree: () => tree(),
    idOf: (path: string) => Promise.resolve(path.endsWith('alice-container') ? 257 : 258),
  }) as unknown as Btrfs;

const onBtrfs = (state: HostState): void => {
  for (const pool of state.pools) pool.driver = 'btrfs';
};

async function checked(tree: () => Promise<SubvolumeTree>, edit = onBtrfs) {
  const { context } = await host({ edit });
  return checkSubvolumes(
    { ...context, host: { ...context.host, simulated: false } },
    { btrfs: btrfsWith(tree) },
    signal,
  );
}

const own = [
  { id: 257, parent: 5, path: 'containers/alice-container' },
  { id: 258, parent: 5, path: 'containers/bob-container' },
];
const escape = 'root in a container can make subvolumes, which its disk quota does not count';

describe('the check of subvolumes', () => {
  it('warns of the escape on btrfs even if no container uses it', async () => {
    const tree = { subvolumes: own, bytes: new Map([[257, 1]]), doubtful: false };
    expect(await checked(() => Promise.resolve(tree))).toMatchObject({
      severity: 'warning',
      detail: `pool default is on btrfs: ${escape}; no container has any now`,
      next: 'use a zfs pool, where the quota counts everything',
    });
  });

  it('names containers with subvolumes, and what they hold', async () => {
    const nested = { id: 300, parent: 257, path: 'x' };
    const layer = { id: 301, parent: 258, path: 'containers/bob-container/rootfs/var/lib/docker/btrfs/subvolumes/0a' };
    const bytes = new Map([
      [257, 32 * 1024 ** 2],
      [300, 3.5 * 1024 ** 3],
      [301, 1024 ** 2],
    ]);
    const found = await checked(() => Promise.resolve({ subvolumes: [...own, nested, layer], bytes, doubtful: true }));
    expect(found.severity).toBe('warning');
    expect(found.detail).toContain('alice-container has 1 subvolume with 3.5');
    expect(found.detail).toMatch(/bob-container has 1 subvolume with 1\S* MiB? \(1 of them Docker's\)/);
    expect(found.detail).toContain('line breaks');
  });

  it('does not claim that there are none if it could not look', async () => {
    const failed = () =>
      Promise.reject(new Failure('program-failed', { what: '"btrfs subvolume"', why: 'not mounted' }));
    const found = await checked(failed);
    expect(found).toMatchObject({ severity: 'warning' });
    expect(found.detail).toContain('could not be examined: "btrfs subvolume": not mounted');
    expect(found.detail).not.toContain('no container has any');
  });

  it('has nothing to say of other file systems', async () => {
    const onZfs = (state: HostState): void => {
      for (const pool of state.pools) pool.driver = 'zfs';
    };
    const unused = () => Promise.resolve({ subvolumes: [], bytes: undefined, doubtful: false });
    expect(await checked(unused, onZfs)).toMatchObject({ severity: 'ok', detail: 'pool default is not on btrfs' });
  });
});
