/** `undo` on a simulated host with the container of alice. */
import { describe, expect, it } from 'vitest';
import { allVerbs, verbNamed } from '../../../../src/catalogue/catalogue.ts';
import type { Actor } from '../../../../src/domain/access/actor.ts';
import type { UndoResult } from '../../../../src/domain/results/undo.ts';
import { NoContainer, type Username } from '../../../../src/domain/values/username.ts';
import { createContainer } from '../../../../src/service/create.ts';
import { stopContainer } from '../../../../src/service/power.ts';
import { undo } from '../../../../src/service/undo/undo.ts';
import { deleteContainer } from '../../../../src/service/delete.ts';
import { inverseOf } from '../../../../src/service/undo/inverses.ts';
import { lastChange, verbsWithoutOperation, type Search } from '../../../../src/service/undo/lastChange.ts';
import { alice, bob, callBy, hosts, owner } from '../../../support/world/hosts.ts';
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

const searchOf = ({ context }: World): Search => ({
  folder: context.journalFolder,
  now: context.now(),
  signal: new AbortController().signal,
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
    ['ban add', { network: '9.9.9.9' }, '"ban add 9.9.9.9"', '"ban lift 9.9.9.9"'],
    ['admin add', { name: 'vic', keys: laptop }, '"admin add vic"', '"audit"'],
  ])('%s, which makes no operation, and takes back no older change instead', async (verb, input, what, next) => {
    const world = await host();
    await world.must('stop', { user: 'alice' });
    await world.must(verb, input);
    expect(await world.call('undo', { yes: true })).toMatchObject({
      failure: { code: 'wrong-state', what, next: expect.stringContaining(next) as string },
    });
    expect(await world.must('info', { user: 'alice' })).toMatchObject({ container: { status: 'stopped' } });
  });

  it('a change that has no target', async () => {
    const world = await host();
    await world.must('stop', { user: 'alice' });
    await world.journal.append({
      type: 'outcome',
      call: '1',
      verb: 'host-key rotate',
      actor: { ...carol },
      outcome: 'ok',
    });
    expect(await world.call('undo')).toMatchObject({ failure: { code: 'wrong-state', what: '"host-key rotate"' } });
  });

  it('nothing because of a later call that failed or that others made', async () => {
    const world = await host();
    await world.must('stop', { user: 'alice' });
    expect((await world.call('ban lift', { network: '9.9.9.9' })).ok).toBe(false);
    expect((await world.call('ban add', { network: '9.9.9.9' }, dave)).ok).toBe(true);
    expect(await world.must('undo')).toMatchObject({ by: 'start alice' });
  });

  it.each([
    ['keys invite', {}],
    ['keys add', { keys: laptop }],
  ])('an invitation at self@, made by %s', async (verb, input) => {
    const world = await host();
    const self: Actor = { ...owner(alice), fingerprint: 'SHA256:alice' };
    expect(await world.call(verb, input, self)).toMatchObject({ ok: true });
    expect(await world.call('undo', {}, self)).toMatchObject({
      failure: { code: 'wrong-state', what: `"${verb} alice"`, next: expect.stringContaining('"keys list"') as string },
    });
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

describe('undo at self@, where the key of ann opens alice and bob, and that of ben opens alice', () => {
  const ann: Actor = { ...owner(alice, bob), fingerprint: 'SHA256:ann' };
  const ben: Actor = { ...owner(alice), fingerprint: 'SHA256:ben' };

  /** Makes a host on which `actor` has stopped the container of `user`. */
  async function changedBy(actor: Actor, user: Username): Promise<World> {
    const world = await host();
    await createContainer(world.context, { user: bob, keys: [newKey('ann@desk')] }, callBy());
    await stopContainer(world.context, { user }, callBy(actor));
    return world;
  }

  it.each([
    ['of a container that is not of the caller', bob],
    ['of a container that both have', alice],
  ])('does not take back the change %s, made by another key of the same login name', async (_, user) => {
    const world = await changedBy(ann, user);
    expect(await world.call('undo', { yes: true }, ben)).toMatchObject({ failure: { code: 'not-found' } });
    expect(await world.must('info', { user })).toMatchObject({ container: { status: 'stopped' } });
  });

  it('takes back the change of a second container, also after the login has got another name', async () => {
    const world = await changedBy(ann, bob);
    const renamed = { ...owner(bob, alice), fingerprint: 'SHA256:ann' };
    expect(await world.call('undo', { yes: true }, renamed)).toMatchObject({ result: { by: 'start bob', done: true } });
    expect(await world.call('undo', { yes: true }, ann)).toMatchObject({
      failure: { code: 'wrong-state', what: '"stop bob"', why: 'you have taken back your last change already' },
    });
  });

  it('does not take back the change of a container that the key opens no longer', async () => {
    const world = await changedBy(ann, bob);
    const left = { ...ann, owns: [alice] };
    expect(await world.call('undo', { yes: true }, left)).toMatchObject({ failure: { code: 'not-found' } });
    const found = await lastChange(searchOf(world), ann);
    if (found === undefined) throw new Error('ann has changed nothing');
    expect(() => inverseOf(found.change, left)).toThrow(NoContainer);
  });
});

describe('undo makes the checks of the verbs whose changes it takes back and makes', () => {
  const far: Actor = { ...carol, entryPoint: 'remote' };

  it.each([
    ['key remove', { user: 'alice', key: 'alice@desk', yes: true }],
    ['key add', { user: 'alice', keys: laptop }],
  ])('over the remote interface it does not take back %s', async (verb, input) => {
    const world = await host();
    await world.must(verb, input);
    const before = settled(world);
    expect(await world.call('undo', { yes: true }, far)).toMatchObject({ failure: { code: 'denied' } });
    expect(settled(world)).toBe(before);
    expect(await world.call('undo', {}, far)).toMatchObject({ ok: true });
    const allowed = await host({ settings: { remote: { accessVerbs: true } } });
    await allowed.must(verb, input);
    expect(await allowed.call('undo', { yes: true }, far)).toMatchObject({ ok: true });
  });

  it('it deletes nothing without the touch that delete requires', async () => {
    const world = await host({ settings: { ssh: { touchBeforeDeleteMs: 300_000 } } });
    await deleteContainer(world.context, { user: alice }, callBy());
    await world.must('trash restore', { user: 'alice' });
    expect(await world.call('undo', { yes: true })).toMatchObject({ failure: { code: 'denied', what: '"delete"' } });
    expect(hostStateOf(world.folder).instances['alice-container']).toBeDefined();
  });
});

it.each<[verb: string, input: Record<string, unknown>, since: string, sinceInput: Record<string, unknown>]>([
  ['key add', { user: 'alice', keys: laptop }, 'key remove', { user: 'alice', key: 'alice@desk', yes: true }],
  ['label set', { user: 'alice', labels: ['team=blue'] }, 'label remove', { user: 'alice', keys: ['team'] }],
  ['ttl set', { user: 'alice', when: '30d' }, 'ttl set', { user: 'alice', when: '60d' }],
  ['resize', { user: 'alice', cpu: '2' }, 'resize', { user: 'alice', cpu: '3' }],
])('undo of %s %j refuses if %s changes the container while undo begins', async (verb, input, since, sinceInput) => {
  const world = await host();
  await world.must(verb, input);
  let after = '';
  const { incus } = world.context;
  const instance = incus.instance.bind(incus);
  const storedInstance = incus.storedInstance.bind(incus);
  const meanwhile = async (): Promise<void> => {
    Object.assign(incus, { instance, storedInstance });
    expect((await world.call(since, sinceInput, dave)).ok).toBe(true);
    after = settled(world);
  };
  incus.instance = async (...given) => meanwhile().then(() => instance(...given));
  incus.storedInstance = async (...given) => meanwhile().then(() => storedInstance(...given));
  await expect(undo(world.context, { yes: true }, callBy())).rejects.toMatchObject({ code: 'wrong-state' });
  expect(settled(world)).toBe(after);
});

it('every verb that changes something makes an operation, is known to make none, or is no change to take back', () => {
  const withOperation = [
    ...['create', 'resize', 'delete', 'protect', 'unprotect', 'label set', 'label remove', 'ttl set', 'ttl clear'],
    ...['trash restore', 'trash purge', 'start', 'stop', 'restart', 'reconcile', 'image build'],
    ...['snapshot create', 'snapshot restore', 'snapshot delete', 'snapshot rename', 'snapshot schedule'],
    ...['backup create', 'backup verify', 'backup restore', 'backup delete'],
    ...['keys remove', 'key add', 'key remove', 'key replace'],
  ];
  const noChange = ['undo', 'shell', 'schedule run'];
  const changing = allVerbs.filter(({ changes }) => changes).map(({ name }) => name);
  expect([...withOperation, ...verbsWithoutOperation, ...noChange].sort()).toEqual(changing.sort());
});

describe('the search for the last change', () => {
  it('goes back 30 days', async () => {
    const world = await host();
    await world.must('protect', { user: 'alice' });
    const search = searchOf(world);
    expect(await lastChange(search, carol)).toMatchObject({ change: { verb: 'protect' } });
    const later = new Date(search.now.getTime() + 31 * 24 * 60 * 60 * 1000);
    expect(await lastChange({ ...search, now: later }, carol)).toBeUndefined();
  });

  it('keeps 8 MiB of records at most', async () => {
    const world = await host();
    await world.must('protect', { user: 'alice' });
    const record = { type: 'operation', op: 'large', verb: 'label set', target: 'zed', actor: { ...carol } };
    for (let count = 0; count < 45; count++)
      await world.journal.append({ ...record, input: { text: 'x'.repeat(200_000) } });
    expect(await lastChange(searchOf(world), carol)).toBeUndefined();
    expect(await lastChange(searchOf(world), dave)).toBeUndefined();
  });

  it('keeps no record of others', async () => {
    const world = await host();
    await world.must('protect', { user: 'alice' });
    const record = { type: 'operation', op: 'large', verb: 'label set', target: 'zed', actor: { ...dave } };
    for (let count = 0; count < 45; count++)
      await world.journal.append({ ...record, input: { text: 'x'.repeat(200_000) } });
    expect(await lastChange(searchOf(world), carol)).toMatchObject({ change: { verb: 'protect' }, later: undefined });
  });

  it('takes its turn after the other searches of the same person', () => {
    expect(verbNamed('undo').readsHistory).toBe(true);
  });
});
