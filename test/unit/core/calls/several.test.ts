/** One call for several containers, on a simulated host: alice, bob and dan run, zoe does not; two have a label. */
import { loadFormat } from '../../../../src/catalogue/loadFormat.ts';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { verbNamed } from '../../../../src/catalogue/catalogue.ts';
import { renderAnswer } from '../../../../src/catalogue/render.ts';
import type { Several } from '../../../../src/domain/results/several.ts';
import type { StateChange } from '../../../../src/domain/results/changes.ts';
import { queryJournal } from '../../../../src/journal/query.ts';
import { alice, bob, changesOf, hosts, owner } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';
import { commandsOfPlan, planned } from '../../../support/world/plans.ts';
import { hostStateOf, type World } from '../../../support/world/world.ts';

await loadFormat('yaml');
await loadFormat('csv');

const host = hosts(async (world) => {
  await world.must('image build');
  for (const user of ['alice', 'bob', 'dan', 'zoe']) await world.must('create', { user, keys: newKey(user).line });
  for (const user of ['alice', 'bob']) await world.must('label set', { user, labels: ['team=blue'] });
  await world.must('stop', { user: 'zoe' });
});

const running = (world: World): string[] =>
  Object.entries(hostStateOf(world.folder).instances)
    .filter(([, { run }]) => run !== null)
    .map(([name]) => name.replace('-container', ''));

const told = ({ outcomes }: Several<unknown>): unknown[] =>
  outcomes.map((outcome) => [outcome.user, outcome.ok ? 'ok' : outcome.error.code]);

const change = z.object({ op: z.string(), target: z.string(), verb: z.string() });

const operationsOf = async (world: World): Promise<z.infer<typeof change>[]> => {
  const records = await Array.fromAsync(
    queryJournal(`${world.folder}/journal`, { types: ['operation'], limit: 1000 }, new AbortController().signal),
  );
  return records.map((record) => change.parse(record));
};

describe('a change of several containers', () => {
  it('changes each named user once, with an operation for each', async () => {
    const world = await host();
    const before = (await operationsOf(world)).length;
    const result = (await world.must('stop', { user: ['alice', 'bob-container', 'alice'] })) as Several<StateChange>;
    expect(told(result)).toEqual([
      ['alice', 'ok'],
      ['bob', 'ok'],
    ]);
    expect(running(world)).toEqual(['dan']);
    const operations = (await operationsOf(world)).slice(before);
    expect(operations.map(({ verb, target }) => [verb, target]).sort()).toEqual([
      ['stop', 'alice'],
      ['stop', 'bob'],
    ]);
    expect(new Set(operations.map(({ op }) => op)).size).toBe(2);
  });

  it('selects by label and state', async () => {
    const world = await host();
    expect(told(await world.must('stop', { labels: ['team=blue'], state: 'running' }))).toEqual([
      ['alice', 'ok'],
      ['bob', 'ok'],
    ]);
    expect(told(await world.must('start', { state: 'stopped' }))).toEqual([
      ['alice', 'ok'],
      ['bob', 'ok'],
      ['zoe', 'ok'],
    ]);
  });

  it('leaves out the named users whose containers do not match', async () => {
    const world = await host();
    expect(told(await world.must('resize', { user: ['alice', 'dan', 'zoe'], state: 'running', cpu: '2' }))).toEqual([
      ['alice', 'ok'],
      ['dan', 'ok'],
    ]);
  });

  it('goes on after a container that fails, and says what happened to each', async () => {
    const world = await host();
    await world.must('protect', { user: 'bob' });
    const result = await world.must('delete', { user: ['alice', 'bob', 'bobb', 'dan'], yes: true });
    expect(told(result)).toEqual([
      ['alice', 'ok'],
      ['bob', 'wrong-state'],
      ['bobb', 'not-found'],
      ['dan', 'ok'],
    ]);
    const verb = verbNamed('delete');
    const shown = renderAnswer({ verb, result }, 'table', undefined, { now: new Date(), terminal: false });
    expect(shown.exitCode).toBe(6);
    expect(shown.stdout).toContain('Container alice-container and jump account alice deleted\n');
    expect(shown.stdout).toMatch(/^bob: .*protected.* \(wrong-state\)\n {2}Next: .*unprotect bob/m);
    expect(shown.stdout).toMatch(/^bobb: .*no such container \(not-found\)\n {2}Next: did you mean "bob"/m);
    expect(shown.stdout).toMatch(/^4 containers: 2 done, 2 failed\n$/m);
    const csv = renderAnswer({ verb, result }, 'csv', undefined, { now: new Date(), terminal: false });
    expect(csv.stdout.split('\n').slice(0, 2)).toEqual(['user,ok,code,what,why', 'alice,true,,,']);
  });

  it('fails with the exit code 1 if no container could be changed', async () => {
    const world = await host();
    const result = await world.must('start', { user: ['nobody', 'noone'] });
    const context = { now: new Date(), terminal: false };
    expect(renderAnswer({ verb: verbNamed('start'), result }, 'json', undefined, context)).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('"ok": false') as string,
    });
  });

  it('names the selection that no container matches, and changes nothing', async () => {
    const world = await host();
    const before = changesOf(world);
    expect(await world.call('stop', { labels: ['team=blu', 'gpu'], state: 'running' })).toMatchObject({
      ok: false,
      failure: {
        code: 'not-found',
        what: 'containers with --label team=blu --label gpu --state running',
        why: 'none matches',
      },
    });
    expect(await world.call('stop', { user: ['zoe', 'dan'], labels: ['team=blue'] })).toMatchObject({
      failure: { what: 'containers with --label team=blue', why: 'none of zoe, dan matches' },
    });
    expect(changesOf(world)).toEqual(before);
  });

  it('is refused without --yes where the change of one is, unless its number was typed', async () => {
    const world = await host();
    for (const input of [{ user: ['alice', 'bob'] }, { labels: ['team=blue'] }])
      expect(await world.call('delete', input)).toMatchObject({ failure: { code: 'confirmation-required' } });
    for (const confirm of ['3', 'alice'])
      expect(await world.call('delete', { user: ['alice', 'bob'], confirm })).toMatchObject({
        failure: { code: 'confirmation-mismatch', next: 'type 2 to continue' },
      });
    // What was counted may have changed since.
    expect(await world.call('delete', { labels: ['team=blue'], confirm: '2' })).toMatchObject({
      failure: { code: 'confirmation-mismatch' },
    });
    expect(running(world)).toEqual(['alice', 'bob', 'dan']);
    expect(told(await world.must('delete', { user: ['alice', 'bob', 'alice'], confirm: '2' }))).toHaveLength(2);
  });

  it('makes at most four changes at a time', async () => {
    const world = await host();
    for (const user of ['eve', 'fay']) await world.must('create', { user, keys: newKey(user).line });
    let now = 0;
    let most = 0;
    const { incus } = world.context;
    const stop = incus.stop.bind(incus);
    vi.spyOn(incus, 'stop').mockImplementation(async (...args) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await stop(...args).finally(() => now--);
    });
    expect(told(await world.must('stop', { state: 'running' }))).toHaveLength(5);
    expect(most).toBe(4);
  });

  it('is one container for a list of one user, with the answer for one', async () => {
    const world = await host();
    expect(await world.must('stop', { user: ['alice'] })).toMatchObject({ user: 'alice', status: 'stopped' });
    expect(await world.call('stop', {})).toMatchObject({ failure: { code: 'usage', why: '<user> is missing' } });
  });

  it('is not for owners', async () => {
    const world = await host();
    for (const input of [{ user: ['alice', 'bob'] }, { state: 'running' }])
      expect(await world.call('restart', input, owner(alice, bob))).toMatchObject({
        failure: { code: 'usage', next: 'name one: alice, bob' },
      });
  });

  it.each([
    ['info', {}, 'name one: alice, bob'],
    ['restart', {}, 'name one: alice, bob'],
    ['snapshot create', { name: 'mine' }, 'add --user alice, or another of yours: bob'],
    ['keys add', { keys: newKey('alice@new').line }, 'add --user alice, or another of yours: bob'],
  ])('is asked for where the owner of several calls %s without a name', async (verb, input, next) => {
    const world = await host();
    expect(await world.call(verb, input, owner(alice, bob))).toMatchObject({ failure: { code: 'usage', next } });
  });

  it('is undone container by container', async () => {
    const world = await host();
    await world.must('stop', { user: ['alice', 'bob'] });
    await world.must('undo', { yes: true });
    expect(running(world)).toHaveLength(2);
  });

  it('has a plan with the commands for each container, one after the other', async () => {
    const world = await host();
    await world.must('protect', { user: 'bob' });
    const input = { user: ['dan', 'alice', 'bob'], yes: true };
    const plan = await planned(world, 'delete', input);
    expect(plan.notes.filter((note) => note.startsWith('bob '))).toEqual([
      'bob would be refused: container "bob-container": it is protected from being deleted',
    ]);
    const before = changesOf(world).length;
    await world.must('delete', input);
    expect(commandsOfPlan(plan).length).toBe(changesOf(world).length - before);
    expect(plan.steps.map(({ title }) => title)).toContain('dan: Moving container to the trash');
  });
});
