/** `protect` and `unprotect` on a simulated host with the running container of alice. */
import { describe, expect, it } from 'vitest';
import { createContainer } from '../../../src/service/create.ts';
import { deleteContainer } from '../../../src/service/delete.ts';
import { protectContainer, unprotectContainer } from '../../../src/service/protect.ts';
import { alice, callBy, hosts, refused } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { hostStateOf } from '../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey('alice@desk')] }, callBy());
});

describe('a protected container', () => {
  it('is not deleted until it is unprotected', async () => {
    const world = await host();
    const change = await protectContainer(world.context, { user: alice }, callBy());
    expect(change).toMatchObject({ protected: true, changed: true });
    const refusal = await refused(world, () => deleteContainer(world.context, { user: alice, purge: true }, callBy()));
    expect(refusal).toMatchObject({ code: 'wrong-state', next: expect.stringContaining('unprotect alice') as string });
    await unprotectContainer(world.context, { user: alice }, callBy());
    await deleteContainer(world.context, { user: alice, purge: true }, callBy());
    expect(hostStateOf(world.folder).instances).toEqual({});
  });

  it.each(['1', 'yes', 'on', 'TRUE'])('is not deleted if an admin of Incus wrote %s', async (word) => {
    const world = await host();
    await world.context.incus.patch('alice-container', { config: { 'security.protection.delete': word } });
    for (const purge of [true, false]) {
      const refusal = await refused(world, () => deleteContainer(world.context, { user: alice, purge }, callBy()));
      expect(refusal).toMatchObject({ code: 'wrong-state', why: 'it is protected from being deleted' });
    }
  });

  it('stays as it is when it is protected again', async () => {
    const world = await host();
    await protectContainer(world.context, { user: alice }, callBy());
    const again = await protectContainer(world.context, { user: alice }, callBy());
    expect(again).toMatchObject({ protected: true, changed: false, operation: null });
  });
});
