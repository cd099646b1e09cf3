/** An owner's change and an admin's of one container, at the same time. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createContainer } from '../../../src/service/create.ts';
import { eventually } from '../../support/eventually.ts';
import { alice, callBy, hosts, owner } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { carol, type World } from '../../support/world/world.ts';

const host = hosts(({ context }) => createContainer(context, { user: alice, keys: [newKey('alice')] }, callBy()));

let world: World;
beforeEach(async () => {
  world = await host();
});

/** Begins an operation that ends when it is told to. */
function begin(actor: Parameters<typeof callBy>[0], verb: string) {
  let end = (): void => undefined;
  let isRunning = false;
  const ended = world.operations.run(
    { verb, target: alice, actor: actor ?? carol, input: {} },
    () => Promise.resolve(),
    () => {
      isRunning = true;
      return new Promise<string>((resolve) => (end = () => resolve(verb)));
    },
  );
  ended.catch(() => undefined);
  const settle = (): Promise<true> => eventually(() => (isRunning ? true : undefined), `${verb} runs`);
  return { ended, end: () => end(), isRunning: () => isRunning, settle };
}

describe("a change of an owner's container", () => {
  it("by an admin waits for the owner's, and the owner begins no other meanwhile", async () => {
    const restart = begin(owner(alice), 'restart');
    await restart.settle();
    const remove = begin(carol, 'delete');
    await expect(begin(owner(alice), 'restart').ended).rejects.toMatchObject({ code: 'busy' });
    expect(remove.isRunning()).toBe(false);
    restart.end();
    await restart.ended;
    await expect(begin(owner(alice), 'restart').ended).rejects.toMatchObject({ code: 'busy' });
    await remove.settle();
    expect(remove.isRunning()).toBe(true);
    remove.end();
    expect(await remove.ended).toBe('delete');
    const again = begin(owner(alice), 'restart');
    await again.settle();
    again.end();
    expect(await again.ended).toBe('restart');
  });

  it('by two admins who wait is made by one', async () => {
    const restart = begin(owner(alice), 'restart');
    await restart.settle();
    const both = [begin(carol, 'stop'), begin(carol, 'delete')];
    restart.end();
    await restart.ended;
    await eventually(() => (both.some(({ isRunning }) => isRunning()) ? true : undefined), 'one of them runs');
    const running = both.filter(({ isRunning }) => isRunning());
    expect(running).toHaveLength(1);
    for (const { end } of both) end();
    const settled = await Promise.allSettled(both.map(({ ended }) => ended));
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it("by an admin does not wait for another admin's", async () => {
    const stop = begin(carol, 'stop');
    await stop.settle();
    await expect(begin(carol, 'delete').ended).rejects.toMatchObject({ code: 'busy' });
    stop.end();
    await stop.ended;
  });
});
