/** `stop` and `restart` on a simulated host with the running container of alice: the connections through the host. */
import { describe, expect, it, vi } from 'vitest';
import type { StateChange } from '../../../src/domain/results/changes.ts';
import { createContainer } from '../../../src/service/create.ts';
import { restartContainer, startContainer, stopContainer } from '../../../src/service/power.ts';
import { alice, callBy, changesOf, hosts } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { hostStateOf, type World } from '../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey('alice@desk')] }, callBy());
});

const verbs = { stop: stopContainer, restart: restartContainer } as const;
const names = ['stop', 'restart'] as const;

function run(world: World, verb: keyof typeof verbs, notes: string[] = []): Promise<StateChange> {
  const { progress } = callBy();
  const call = callBy(undefined, { progress: { ...progress, note: (text) => void notes.push(text) } });
  return verbs[verb](world.context, { user: alice }, call);
}

describe.each(names)('%s', (verb) => {
  it('ends the connections of the user through the host after Incus is done', async () => {
    const world = await host();
    vi.spyOn(world.context.accounts, 'endSessions').mockImplementation(() => {
      expect(changesOf(world).at(-1)).toMatch(new RegExp(`^incus ${verb} alice-container`));
      return Promise.resolve(true);
    });
    expect(await run(world, verb)).toMatchObject({ changed: true, connectionsEnded: true });
  });

  it.each(['hang', 'hang-after'] as const)('succeeds although pkill does not (%s), and says so', async (mode) => {
    const world = await host({ faults: [{ match: { program: 'pkill' }, mode }] });
    const notes: string[] = [];
    expect(await run(world, verb, notes)).toMatchObject({ changed: true, connectionsEnded: false });
    expect(notes).toEqual([
      expect.stringMatching(/^connections of alice through the host may still be open: .*: pkill -KILL -u alice$/),
    ]);
    expect(hostStateOf(world.folder).instances['alice-container']?.run === null).toBe(verb === 'stop');
    expect(await world.faults()).toEqual([]);
  });

  it('succeeds although the accounts cannot be listed, and kills nothing', async () => {
    const world = await host({ faults: [{ match: { program: 'getent' }, mode: 'fail-before' }] });
    const notes: string[] = [];
    await run(world, verb, notes);
    expect(notes[0]).toMatch(/^connections of alice through the host may still be open: /);
    expect(changesOf(world).filter((command) => command.startsWith('pkill'))).toEqual([]);
  });
});

describe('stop and start', () => {
  it('end no connections if they change nothing', async () => {
    const world = await host();
    const end = vi.spyOn(world.context.accounts, 'endSessions').mockResolvedValue(true);
    expect(await startContainer(world.context, { user: alice }, callBy())).toMatchObject({
      changed: false,
      connectionsEnded: false,
    });
    await run(world, 'stop');
    expect(end).toHaveBeenCalledTimes(1);
    expect(await run(world, 'stop')).toMatchObject({ changed: false, connectionsEnded: false });
    expect(end).toHaveBeenCalledTimes(1);
  });
});
