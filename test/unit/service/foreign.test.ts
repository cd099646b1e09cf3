/** What of the instances of a host counts as made by others. */
import { describe, expect, it } from 'vitest';
import { deleteContainer } from '../../../src/service/delete.ts';
import { createContainer } from '../../../src/service/create.ts';
import { foreignAmong } from '../../../src/service/foreign.ts';
import { listContainers } from '../../../src/service/list.ts';
import { alice, callBy, hosts } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey('alice@desk')] }, callBy());
  await world.must('snapshot create', { user: 'alice', name: 'first' });
});

describe('an instance counts as made by others', () => {
  it('not if it is in the trash, or is an earlier state of a container there', async () => {
    const world = await host({
      edit: ({ pools }) => {
        for (const pool of pools) pool.driver = 'zfs';
      },
    });
    await world.must('snapshot restore', { user: 'alice', snapshot: 'first', yes: true });
    await deleteContainer(world.context, { user: alice }, callBy());
    expect(await listContainers(world.context, {}, callBy())).toMatchObject({ containers: [], foreign: 0 });
    expect(await world.context.incus.instances()).toHaveLength(2);
  });

  const named = (name: string, config = {}): never => ({ name, config, devices: {} }) as never;

  it('not if an operation has made it to remove it again', () => {
    const id = '01kb8w6zq4t5n3x9v2m7c1d0ef';
    const made = ['build', 'restore', 'verify'].map((what) => named(`containarium-${what}-${id}`));
    expect(foreignAmong(made)).toEqual([]);
  });

  it('if it only looks like one of ours', () => {
    const others = [
      named('mail'),
      named('alice-container'),
      named('containarium-build-1'),
      named('mail-2', { 'user.containarium.trashed': 'alice-container-1', 'user.containarium.replaced': 'alice' }),
    ];
    expect(foreignAmong(others)).toEqual(others);
  });
});
