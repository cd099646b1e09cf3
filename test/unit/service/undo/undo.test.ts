/** `undo` on a simulated host with the container of alice. */
import { describe, expect, it } from 'vitest';
import type { Actor } from '../../../../src/domain/access/actor.ts';
import type { UndoResult } from '../../../../src/domain/results/undo.ts';
import { createContainer } from '../../../../src/service/create.ts';
import { alice, callBy, hosts, owner } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';
import { snapshot } from '../../../support/world/snapshot.ts';
import { carol, hostStateOf, type World } from '../../../support/world/world.ts';

const laptop = newKey('alice@laptop').line;
const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(
    world.context,
    { user: alice, keys: [newKey('alice@desk')], labels: [{ key: 'team', value: 'red' }] },
    callBy(),
  );
  await world.must('snapshot create', { user: 'alice', name: 'first' });
});

const dave: Actor = { ...carol, name: 'dave' };

/** The state without what every run of a container, and every account, has of its own. */
function settled(world: World): string {
  const state = hostStateOf(world.folder);
  for (const account of state.accounts) if (account.name === 'alice') account.comment = '';
  return snapshot(state).replaceAll(/"?(ranMs|lastUsedAtMs|startedAtMs|pid)"?: \d+,?/g, '');
}

describe('undo takes back', () => {
  it.each<[verb: string, input: Record<string, unknown>, by: string]>([
    [
      'resize',
      { user: 'alice', cpu: '2', memory: '2GiB', disk: '60GiB', processes: '300' },
      'resize alice --cpu 4 --memory 4GiB --disk-quota 50GiB --processes 2000',
    ],
    ['stop', { user: 'alice' }, 'start alice'],
    ['protect', { user: 'alice' }, 'unprotect alice'],
    [
      'label set',
      { user: 'alice', labels: ['team=blue', 'new=1'] },
      'label set alice team=red, label remove alice new',
    ],
    ['label remove', { user: 'alice', keys: ['team'] }, 'label set alice team=red'],
    ['ttl set', { user: 'alice', when: '30d' }, 'ttl clear alice'],
    ['key add', { user: 'alice', keys: laptop }, 'give alice back the key from before'],
    ['key replace', { user: 'alice', keys: laptop }, 'give alice back the key from before'],
    ['key remove', { user: 'alice', key: 'alice@desk', yes: true }, 'give alice back the key from before'],
    ['snapshot rename', { user: 'alice', snapshot: 'first', to: 'second' }, 'snapshot rename alice second first'],
    ['snapshot schedule', { user: 'alice', every: 'hourly' }, 'snapshot schedule alice default'],
    ['delete', { user: 'alice', yes: true }, 'trash restore alice alice-container-'],
  ])('%s, and shows how before it does it', async (verb, input, by) => {
    const world = await host();
    const before = settled(world);
    await world.must(verb, input);
    const after = settled(world);
    expect(after).not.toBe(before);
    const shown = (await world.must('undo')) as UndoResult;
    expect(shown).toMatchObject({ done: false, change: { verb, target: 'alice' } });
    expect(shown.by.startsWith(by)).toBe(true);
    expect(settled(world)).toBe(after);
    expect(await world.must('undo', { yes: true })).toMatchObject({ done: true, by: shown.by });
    expect(settled(world)).toBe(before);
    expect(await world.faults()).toEqual([]);
  });

  it("one's own last change, not that of others", async () => {
    const world = await host();
    await world.must('protect', { user: 'alice' });
    expect(await world.call('undo', {}, dave)).toMatchObject({ failure: { code: 'not-found' } });
    expect(await world.call('undo', {}, { ...owner(alice), name: 'carol' })).toMatchObject({
      failure: { code: 'not-found' },
    });
    expect(await world.must('undo')).toMatchObject({ change: { verb: 'protect' } });
  });
});

describe('undo passes over', () => {
  it.each<[verb: string, input: Record<string, unknown>]>([
    ['snapshot create', { user: 'alice', name: 'second' }],
    ['restart', { user: 'alice' }],
    ['backup create', { user: 'alice' }],
  ])('%s of oneself and of others, and takes back the change before it', async (verb, input) => {
    const world = await host();
    await world.must('label set', { user: 'alice', labels: ['team=blue'] });
    await world.must(verb, input);
    expect((await world.call(verb, { ...input, ...('name' in input ? { name: 'third' } : {}) }, dave)).ok).toBe(true);
    expect(await world.must('undo', { yes: true })).toMatchObject({ done: true, change: { verb: 'label set' } });
    expect(hostStateOf(world.folder).instances['alice-container']?.config['user.containarium.label.team']).toBe('red');
  });

  it('the verification of a backup of another container, so that a deletion can be taken back after it', async () => {
    const world = await host();
    await world.must('backup create', { user: 'alice' });
    await world.must('delete', { user: 'alice', yes: true });
    await world.must('backup verify', { user: 'alice', backup: 'latest' });
    expect(await world.must('undo', { yes: true })).toMatchObject({ done: true, change: { verb: 'delete' } });
  });
});

describe('undo refuses', () => {
  it('to run twice, which would make the change again', async () => {
    const world = await host();
    await world.must('delete', { user: 'alice', yes: true });
    await world.must('undo', { yes: true });
    expect(await world.call('undo', { yes: true })).toMatchObject({
      failure: {
        code: 'wrong-state',
        what: '"delete alice"',
        why: 'you have taken back your last change already',
      },
    });
    expect(hostStateOf(world.folder).instances['alice-container']).toBeDefined();
    await world.must('stop', { user: 'alice' });
    expect(await world.must('undo')).toMatchObject({ by: 'start alice' });
  });

  it('if another admin has changed the container since', async () => {
    const world = await host();
    await world.must('protect', { user: 'alice' });
    await world.call('stop', { user: 'alice' }, dave);
    expect(await world.call('undo', { yes: true })).toMatchObject({
      failure: { code: 'wrong-state', why: expect.stringContaining('"stop alice" by dave came after it') as string },
    });
    expect(hostStateOf(world.folder).instances['alice-container']?.config['security.protection.delete']).toBe('true');
  });

  it('a change that was undone by its own failure, and names the one before', async () => {
    const world = await host();
    await world.must('protect', { user: 'alice' });
    world.context.incus.stop = () => Promise.reject(new Error('it does not stop'));
    expect((await world.call('stop', { user: 'alice' })).ok).toBe(false);
    expect(await world.must('undo')).toMatchObject({ change: { verb: 'protect' } });
  });

  it.each([
    ['snapshot restore', { user: 'alice', snapshot: 'first', yes: true }, 'snapshot list alice'],
    ['snapshot delete', { user: 'alice', snapshot: 'first', yes: true }, 'audit'],
    ['delete', { user: 'alice', purge: true, yes: true }, 'audit'],
  ])('%s, and names another way', async (verb, input, next) => {
    const world = await host();
    await world.must(verb, input);
    expect(await world.call('undo', { yes: true })).toMatchObject({
      failure: { code: 'wrong-state', next: expect.stringContaining(next) as string },
    });
  });
});
