/** The directory of who may log in, while Incus answers late, out of order or not at all. */
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { DirectoryKeeper } from '../../../../src/core/logins/directoryKeeper.ts';
import { createContainer } from '../../../../src/service/create.ts';
import { deleteContainer } from '../../../../src/service/delete.ts';
import { inviteUser, listInvitations } from '../../../../src/service/invitations.ts';
import { removeKey } from '../../../../src/service/keys.ts';
import { restoreFromTrash } from '../../../../src/service/trash.ts';
import { alice, callBy, hosts } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';
import type { World } from '../../../support/world/world.ts';

const desk = newKey('alice@desk');
const laptop = newKey('alice@laptop');
const root = callBy({ name: 'root', role: 'root', entryPoint: 'local' });

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [desk, laptop] }, callBy());
});

function keeperOf({ context }: World): DirectoryKeeper {
  return new DirectoryKeeper({
    service: context,
    own: context,
    log: pino({ level: 'silent' }),
    changed: () => undefined,
    queried: () => undefined,
  });
}

const fingerprints = ({ directory }: DirectoryKeeper): string[] =>
  directory.identities.map(({ fingerprint }) => fingerprint).sort();

/** Makes the answer to the next question about all instances wait until the returned function is called. */
function holdAnswer({ context: { incus } }: World): () => void {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const ask = incus.instances.bind(incus);
  vi.spyOn(incus, 'instances').mockImplementationOnce(async (...args) => {
    const answer = await ask(...args);
    await promise;
    return answer;
  });
  return () => resolve(undefined);
}

describe('the directory', () => {
  it('lets no removed key in again by an older answer of Incus that arrives late', async () => {
    const world = await host();
    const keeper = keeperOf(world);
    const arrive = holdAnswer(world);
    const late = keeper.refresh();
    await vi.waitFor(() => expect(world.context.incus.instances).toHaveBeenCalled());
    await removeKey(world.context, { user: alice, key: 'alice@laptop' }, callBy());
    await keeper.refresh();
    expect(fingerprints(keeper)).toEqual([desk.fingerprint]);
    arrive();
    await late;
    expect(fingerprints(keeper)).toEqual([desk.fingerprint]);
  });

  it('keeps the owners while Incus does not answer', async () => {
    const world = await host();
    const keeper = keeperOf(world);
    await keeper.refresh();
    vi.spyOn(world.context.incus, 'instances').mockRejectedValue(new Error('no answer'));
    await keeper.refresh();
    expect(fingerprints(keeper)).toEqual([desk.fingerprint, laptop.fingerprint].sort());
  });
});

describe('an invitation to a container', () => {
  it('ends with the container, and does not come back with it from the trash', async () => {
    const world = await host();
    const keeper = keeperOf(world);
    await inviteUser(world.context, { user: alice }, root);
    await keeper.refresh();
    expect(keeper.directory.invitations).toHaveLength(1);
    await deleteContainer(world.context, { user: alice }, callBy());
    await keeper.refresh();
    await restoreFromTrash(world.context, { user: alice }, callBy());
    await keeper.refresh();
    expect(keeper.directory.invitations).toEqual([]);
    expect(await listInvitations(world.context)).toEqual({ invitations: [] });
  });

  it('is not ended by an answer of Incus that is older than the invitation', async () => {
    const world = await host();
    const keeper = keeperOf(world);
    vi.spyOn(world.context.incus, 'instances').mockImplementationOnce(async () => {
      await inviteUser(world.context, { user: alice }, root);
      return [];
    });
    await keeper.refresh();
    await keeper.refresh();
    expect(keeper.directory.invitations).toHaveLength(1);
  });
});
