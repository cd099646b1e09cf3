/**
 * The steps of a plan are those of the call, in the same order: each test makes a plan and then the call. It does so on
 * a simulated host, which is copied as it is, and as on a real one, which is copied by queries.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../../src/domain/results/plan.ts';
import type { Fault } from '../../../../src/simulated/faults/faults.ts';
import type { HostState } from '../../../../src/simulated/state/state.ts';
import { changesOf, hosts, owner, alice, type HostOptions } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';
import { commandsOfPlan, planned, timeless, undoOfPlan } from '../../../support/world/plans.ts';
import { faultsPath, type World } from '../../../support/world/world.ts';

const desk = newKey('alice@desk');
const laptop = newKey("o'brien@laptop");

const host = hosts(async (world) => {
  await world.must('image build');
  await world.must('create', { user: 'alice', keys: desk.line, labels: ['team=blue'] });
  await world.must('create', { user: 'bob', keys: newKey('bob@desk').line });
  await world.must('snapshot create', { user: 'alice', name: 'first' });
  await world.must('snapshot create', { user: 'alice', name: 'second' });
  await world.must('backup create', { user: 'alice' });
});

const withoutImage = (state: HostState): void => void (state.images = []);
const onZfs = (state: HostState): void => state.pools.forEach((pool) => (pool.driver = 'zfs'));
const withoutAccounts = (state: HostState): void => {
  state.accounts = state.accounts.filter(({ name }) => name !== 'alice');
  state.jumpKeys['eve'] = '# eve\n';
  delete state.jumpKeys['bob'];
  const { files = {} } = state.instances['bob-container'] ?? {};
  files['/etc/ssh/authorized_keys.d/bob'] = { content: 'x\n', mode: '0644', uid: 0, gid: 0 };
};

/** Leaves nothing of alice, so that a restore makes her container again. */
const withoutAlice = (state: HostState): void => {
  delete state.instances['alice-container'];
  delete state.jumpKeys['alice'];
  state.accounts = state.accounts.filter(({ name }) => name !== 'alice');
};
const latest = { user: 'alice', backup: 'latest', yes: true };
const stopped = (state: HostState): void => {
  const { 'alice-container': found } = state.instances;
  if (found !== undefined) found.run = null;
};

type Input = Readonly<Record<string, unknown>>;
type Case = readonly [says: string, verb: string, input: Input, edit: HostOptions['edit'] | undefined];

const cases: readonly Case[] = [
  ['create', 'create', { user: 'carl', keys: laptop.line, labels: ['a=b'], docker: false }, undefined],
  ['create with an image that must be built first', 'create', { user: 'carl', keys: laptop.line }, withoutImage],
  ['image build', 'image build', {}, undefined],
  ['delete', 'delete', { user: 'alice', yes: true }, undefined],
  ['resize', 'resize', { user: 'alice', cpu: '2', memory: '2GiB', disk: '60GiB' }, undefined],
  ['protect', 'protect', { user: 'alice' }, undefined],
  ['start', 'start', { user: 'alice' }, undefined],
  ['stop', 'stop', { user: 'alice' }, undefined],
  ['stop --force', 'stop', { user: 'alice', force: true }, undefined],
  ['restart', 'restart', { user: 'alice' }, undefined],
  ['key add', 'key add', { user: 'alice', keys: laptop.line }, undefined],
  ['key add of a key that is there', 'key add', { user: 'alice', keys: desk.line }, undefined],
  ['key replace', 'key replace', { user: 'alice', keys: laptop.line }, undefined],
  ['key remove', 'key remove', { user: 'alice', key: 'alice@desk', yes: true }, undefined],
  ['snapshot create', 'snapshot create', { user: 'alice', name: 'third' }, undefined],
  ['snapshot delete', 'snapshot delete', { user: 'alice', snapshot: 'first', yes: true }, undefined],
  ['snapshot rename', 'snapshot rename', { user: 'alice', snapshot: 'first', to: 'zero' }, undefined],
  ['snapshot schedule', 'snapshot schedule', { user: 'alice', every: 'hourly' }, undefined],
  ['snapshot restore', 'snapshot restore', { user: 'alice', snapshot: 'first', yes: true }, undefined],
  ['snapshot restore on ZFS', 'snapshot restore', { user: 'alice', snapshot: 'first', yes: true }, onZfs],
  ['backup create', 'backup create', { user: 'alice' }, undefined],
  ['backup create of a stopped container', 'backup create', { user: 'alice' }, stopped],
  ['backup verify', 'backup verify', { user: 'alice', backup: 'latest' }, undefined],
  ['backup restore', 'backup restore', latest, undefined],
  ['backup restore of a stopped container', 'backup restore', latest, stopped],
  ['backup restore of a container that is gone', 'backup restore', latest, withoutAlice],
  ['backup rebuild', 'backup rebuild', {}, withoutAlice],
  ['delete --backup', 'delete', { user: 'alice', backup: true, yes: true }, undefined],
  ['schedule run of backups', 'schedule run', { job: 'backups' }, undefined],
  ['reconcile --dry-run', 'reconcile', { dryRun: true }, withoutAccounts],
  ['reconcile --apply', 'reconcile', { apply: true }, withoutAccounts],
];

/** Returns the changes of a call as the host has logged them, without what differs in each call. */
async function changesBy(world: World, call: () => Promise<unknown>): Promise<string[]> {
  const before = changesOf(world).length;
  await call();
  return changesOf(world).slice(before).map(timeless);
}

describe.each([
  ['a simulated host', false],
  ['a host that is copied by queries', true],
])('on %s', (_, copiedByQueries) => {
  it.each(cases)('the plan of %s has the commands of the call', async (_says, verb, input, edit) => {
    const world = await host({ copiedByQueries, ...(edit === undefined ? {} : { edit }) });
    const plan = await planned(world, verb, input);
    expect(plan).toMatchObject({ verb, target: input['user'] ?? input['job'] ?? null });
    // The fingerprint of an image that is built is not known before.
    const known = edit === withoutImage ? /\b[0-9a-f]{64}\b/ : /$^/;
    const ran = await changesBy(world, () => world.must(verb, input));
    expect(commandsOfPlan(plan).map((line) => line.replace(known, 'IMAGE'))).toEqual(
      ran.map((line) => line.replace(known, 'IMAGE')),
    );
  });

  it('the plan of a second restore on ZFS and of the delete after it knows the earlier instance', async () => {
    const world = await host({ copiedByQueries, edit: onZfs });
    await world.must('snapshot restore', { user: 'alice', snapshot: 'first', yes: true });
    for (const [verb, input] of [
      ['snapshot restore', { user: 'alice', snapshot: 'second', yes: true }],
      ['delete', { user: 'alice', yes: true }],
    ] as const) {
      const plan = await planned(world, verb, input);
      expect(commandsOfPlan(plan)).toEqual(await changesBy(world, () => world.must(verb, input)));
    }
  });

  it('the plan of an owner has the commands of the call', async () => {
    const world = await host({ copiedByQueries });
    const plan = await planned(world, 'restart', {}, owner(alice));
    expect(plan.target).toBe('alice');
    expect(commandsOfPlan(plan)).toEqual(await changesBy(world, () => world.call('restart', {}, owner(alice))));
  });

  it('the plan of reconcile, which only shows differences unless told to repair them, is that of repairing them', async () => {
    const world = await host({ copiedByQueries, edit: withoutAccounts });
    const plan = await planned(world, 'reconcile', {});
    expect(plan.steps.length).toBeGreaterThan(0);
    expect(commandsOfPlan(plan)).toEqual(await changesBy(world, () => world.must('reconcile', { apply: true })));
  });

  it('the plan of reconcile --apply has the undo of an operation that could not be ended', async () => {
    const world = await host({ copiedByQueries });
    // The last step fails, and so does its undo.
    const broken: Fault = { match: { argIncludes: '"ready"' }, mode: 'fail-before' };
    const down: Fault = { match: { argIncludes: 'delete' }, mode: 'fail-before', repeat: true };
    writeFileSync(faultsPath(world.folder), JSON.stringify([broken, down]));
    const failed = await world.call('create', { user: 'carl', keys: laptop.line });
    expect(failed).toMatchObject({ failure: { code: 'partial' } });
    rmSync(faultsPath(world.folder));
    const outcome = await world.plan('reconcile', { apply: true });
    if (!outcome.ok) throw outcome.failure;
    expect(world.operations.unfinished()).toHaveLength(1);
    const ran = await changesBy(world, () => world.must('reconcile', { apply: true }));
    expect(ran).toContain('incus delete carl-container --force --quiet');
    expect(commandsOfPlan(outcome.result as Plan)).toEqual(ran);
    expect((outcome.result as Plan).steps[0]?.title).toBe('Undoing what was left unfinished');
  });

  const failing: readonly [verb: string, input: Input, match: Fault['match'], mode?: Fault['mode']][] = [
    ['create', { user: 'carl', keys: laptop.line }, { program: 'incus', argIncludes: '"ready"' }],
    ['delete', { user: 'alice', purge: true, yes: true }, { program: 'incus', argIncludes: 'delete' }],
    ['delete', { user: 'alice', yes: true }, { program: 'incus', argIncludes: 'rename' }, 'fail-after'],
    ['resize', { user: 'alice', cpu: '2', disk: '60GiB' }, { program: 'incus', argIncludes: 'PATCH' }],
    ['key add', { user: 'alice', keys: laptop.line }, { program: 'incus', argIncludes: 'PATCH' }],
  ];
  it.each(failing)(
    'the plan of %s has what undoes the call if its last step fails',
    async (verb, input, match, mode = 'fail-before') => {
      const world = await host({ copiedByQueries });
      const undo = undoOfPlan(await planned(world, verb, input));
      await world.close();
      const broken = await host({ faults: [{ match, mode }] });
      const ran = await changesBy(broken, () => broken.call(verb, input));
      const at = ran.findIndex(
        (line) => line.startsWith(match?.program ?? '') && line.includes(match?.argIncludes ?? ''),
      );
      expect(at).toBeGreaterThanOrEqual(0);
      expect(undo).not.toEqual([]);
      expect(undo).toEqual(ran.slice(at + 1));
    },
  );
});

it('a copy by queries gives the same plan as a copy of the file', async () => {
  const [file, queries] = [await host(), await host({ copiedByQueries: true })];
  const withoutFolder = (plan: Plan): unknown =>
    JSON.parse(
      timeless(JSON.stringify(plan)).replaceAll(file.folder, 'FOLDER').replaceAll(queries.folder, 'FOLDER'),
    ) as unknown;
  for (const [says, verb, input, edit] of cases) {
    if (edit !== undefined) continue;
    const plans = [await planned(file, verb, input), await planned(queries, verb, input)].map(withoutFolder);
    expect(plans[1], says).toEqual(plans[0]);
  }
});
