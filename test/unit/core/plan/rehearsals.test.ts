/** What a plan refuses, records and leaves behind. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Actor } from '../../../../src/domain/access/actor.ts';
import type { Plan } from '../../../../src/domain/results/plan.ts';
import type { InstanceSpec } from '../../../../src/host/incus/incus.ts';
import type { JournalRecord } from '../../../../src/journal/chain.ts';
import { queryJournal } from '../../../../src/journal/query.ts';
import type { FaultPlan } from '../../../../src/simulated/faults/faults.ts';
import type { HostState } from '../../../../src/simulated/state/state.ts';
import { alice, hosts, owner, whileHeld, withoutQuotas, type HostOptions } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';
import { planned, unchanged, unplanned } from '../../../support/world/plans.ts';
import { carol, type Outcome, type World } from '../../../support/world/world.ts';

const desk = newKey('alice@desk').line;

const host = hosts(async (world) => {
  await world.must('image build');
  await world.must('create', { user: 'alice', keys: desk });
  await world.must('create', { user: 'bob', keys: newKey('bob@desk').line });
});

const viewer: Actor = { ...carol, role: 'viewer' };
const remote: Actor = { ...carol, entryPoint: 'remote' };
const stage = ({ folder }: World): string => join(folder, 'rehearsal');
const full = (state: HostState): void => state.pools.forEach((pool) => (pool.totalBytes = 1024 ** 3));
const withDan = ({ accounts }: HostState): void =>
  void accounts.push({ name: 'dan', uid: 1001, gid: 100, comment: 'Dan', home: '/home/dan', shell: '/bin/bash' });
const guarded = (state: HostState): void => {
  const { config = {} } = state.instances['alice-container'] ?? {};
  config['security.protection.delete'] = 'true';
};

type Input = Readonly<Record<string, unknown>>;
interface By {
  readonly by?: Actor;
  readonly edit?: NonNullable<HostOptions['edit']>;
}
type Refusal = readonly [code: string, verb: string, input: Input, more: By];

const refusals: readonly Refusal[] = [
  ['exists', 'create', { user: 'alice', keys: desk }, {}],
  ['not-ours', 'create', { user: 'dan', keys: desk }, { edit: withDan }],
  ['invalid-user', 'create', { user: 'root', keys: desk }, {}],
  ['no-space', 'create', { user: 'carl', keys: desk }, { edit: full }],
  ['settings', 'create', { user: 'carl', keys: desk, disk: '60GiB' }, { edit: withoutQuotas }],
  ['not-found', 'delete', { user: 'alise', yes: true }, {}],
  ['wrong-state', 'delete', { user: 'alice', yes: true }, { edit: guarded }],
  ['below-use', 'resize', { user: 'alice', memory: '64MiB' }, {}],
  ['last-key', 'key remove', { user: 'alice', key: 'alice@desk' }, {}],
  ['not-found', 'snapshot restore', { user: 'alice', snapshot: 'none', yes: true }, {}],
  ['not-found', 'restart', { user: 'bob' }, { by: owner(alice) }],
  ['denied', 'delete', { user: 'alice', yes: true }, { by: viewer }],
  ['denied', 'create', { user: 'carl', keys: desk }, { by: owner(alice) }],
  ['denied', 'admin add', { name: 'eve', keys: desk }, { by: remote }],
  ['usage', 'resize', { user: 'alice', cpus: 2 }, {}],
  ['not-found', 'invite cancel', { invitation: 'nobody' }, {}],
];

describe.each([
  ['a simulated host', false],
  ['a host that is copied by queries', true],
])('the plan on %s', (_, copiedByQueries) => {
  it.each(refusals)('fails with %s as the call does: %s %j', async (code, verb, input, { by = carol, edit }) => {
    const world = await host({ copiedByQueries, ...(edit === undefined ? {} : { edit }) });
    const failure = await unplanned(world, verb, input, by);
    const call = await world.call(verb, input, by);
    if (call.ok) return expect.fail('the call succeeded');
    expect(failure.code).toBe(code);
    expect(failure.toData()).toEqual(call.failure.toData());
  });
});

describe('a plan', () => {
  it('needs no confirmation and no touch', async () => {
    const world = await host({ settings: { ssh: { touchBeforeDeleteMs: 60_000 } } });
    expect(await world.call('delete', { user: 'alice', yes: true })).toMatchObject({ failure: { code: 'denied' } });
    expect((await planned(world, 'delete', { user: 'alice', purge: true })).steps.at(-1)).toMatchObject({
      step: 'delete-instance',
      undo: null,
    });
  });

  it.each(['list', 'say', 'shell', 'audit'])('of %s is refused', async (verb) => {
    const world = await host();
    expect(await unplanned(world, verb, verb === 'say' ? { text: 'x' } : { user: 'alice' })).toMatchObject({
      code: 'usage',
      next: 'leave out --plan',
    });
  });

  it('is refused with busy while an operation holds the target, which it does not hold itself', async () => {
    const world = await host();
    await whileHeld(world, 'alice', async () => {
      const plan = await world.plan('restart', { user: 'alice' });
      expect(plan).toMatchObject({ failure: { code: 'busy', why: expect.stringContaining('"restart" by carol') } });
      expect(await world.plan('restart', { user: 'bob' })).toMatchObject({ ok: true });
    });
    const [plan, call] = await Promise.all([world.plan('stop', { user: 'bob' }), world.call('stop', { user: 'bob' })]);
    expect([plan.ok, call.ok]).toEqual([true, true]);
  });

  it('of reconcile leaves out what an operation holds', async () => {
    const edit = (state: HostState): void => void (state.jumpKeys = {});
    const world = await host({ edit });
    const paths = ({ steps }: Plan): string[] =>
      steps.flatMap(({ commands }) => commands.flatMap((one) => (one.kind === 'write' ? [one.path] : [])));
    const of = (user: string): string => join(world.folder, 'authorized_keys', user);
    expect(paths(await planned(world, 'reconcile', { apply: true }))).toEqual([of('alice'), of('bob')]);
    await whileHeld(world, 'alice', async () => {
      const outcome = await world.plan('reconcile', { apply: true });
      expect(outcome.ok && paths(outcome.result as Plan)).toEqual([of('bob')]);
    });
  });

  it('is recorded as a call that reads, under a name of its own', async () => {
    const world = await host();
    const before = world.journal.head.seq;
    await planned(world, 'delete', { user: 'alice' });
    await unplanned(world, 'delete', { user: 'nobody' });
    await unplanned(world, 'delete', { user: 'alice' }, viewer);
    const records: JournalRecord[] = await Array.fromAsync(queryJournal(join(world.folder, 'journal')));
    expect(records.filter(({ seq }) => seq > before)).toMatchObject([
      { type: 'verb', verb: 'delete --plan', target: 'alice', actor: { name: 'carol' } },
      { type: 'verb', verb: 'delete --plan', target: 'nobody' },
      { type: 'outcome', verb: 'delete --plan', outcome: 'failed', failure: { code: 'not-found' } },
      { type: 'refused', verb: 'delete --plan', failure: { code: 'denied' } },
    ]);
  });

  it('shows neither private keys nor the content of files', async () => {
    const world = await host();
    const secret = newKey('bob@laptop');
    const plan = await planned(world, 'create', { user: 'carl', keys: secret.line });
    const made = plan.steps.flatMap(({ commands }) =>
      commands.flatMap((one) => (one.kind === 'program' && one.argv[1] === 'create' ? [one.stdin ?? ''] : [])),
    );
    expect(made.map((text) => (JSON.parse(text) as InstanceSpec).config['user.containarium.seed'])).toEqual([
      '(left out)',
    ]);
    expect(JSON.stringify(plan)).not.toContain('PRIVATE KEY');
  });

  it('of a create of an older image does not show what is pushed', async () => {
    const world = await host({
      edit: ({ images }) => {
        for (const image of images) image.properties['containarium.recipe'] = 'older';
      },
    });
    const plan = await planned(world, 'create', { user: 'carl', keys: desk });
    const pushes = plan.steps.flatMap(({ commands }) =>
      commands.flatMap((one) => (one.kind === 'program' && one.argv[1] === 'file' ? [one] : [])),
    );
    expect(pushes.map(({ argv }) => argv[4])).toContain('carl-container/etc/ssh/ssh_host_ed25519_key');
    for (const { stdin, stdinBytes } of pushes) expect([stdin, stdinBytes > 0]).toEqual([null, true]);
    expect(JSON.stringify(plan)).not.toContain('PRIVATE KEY');
  });

  it('notices no fault of the host that no query meets, and waits for nothing', async () => {
    const faults: FaultPlan = [{ match: { changes: true }, mode: 'hang', repeat: true }];
    const world = await host({ faults, paceMs: 60_000 });
    await planned(world, 'create', { user: 'carl', keys: desk });
  });

  it.each<[string, FaultPlan]>([
    ['incus-unavailable', [{ match: { program: 'incus' }, mode: 'down', repeat: true }]],
    ['program-failed', [{ match: { program: 'getent' }, mode: 'fail-before', repeat: true }]],
    ['program-failed', [{ match: { program: 'jump-keys' }, mode: 'fail-before', repeat: true }]],
    ['program-failed', [{ match: { argIncludes: '/resources' }, mode: 'fail-before', repeat: true }]],
  ])('of a host that does not answer fails with %s, and is never empty', async (code, faults) => {
    const world = await host({ copiedByQueries: true, faults });
    expect((await unplanned(world, 'admin add', { name: 'eve', keys: desk })).code).toBe(code);
  });

  it('writes to a folder of its own, which is gone afterwards, also if an earlier server left one', async () => {
    const world = await host();
    mkdirSync(stage(world));
    writeFileSync(join(stage(world), 'left.json'), '{}');
    expect(await world.plan('create', { user: 'carl', keys: desk })).toMatchObject({ ok: true });
    expect(existsSync(stage(world))).toBe(false);
  });

  it('is made for one call of a login at a time, and for others one after the other', async () => {
    const world = await host();
    const by = (login: string): Actor => ({ ...carol, login });
    const [first, second, other]: Outcome[] = await unchanged(world, () =>
      Promise.all([
        world.plan('restart', { user: 'alice' }, by('A')),
        world.plan('restart', { user: 'alice' }, by('A')),
        world.plan('restart', { user: 'alice' }, by('B')),
      ]),
    );
    expect(first).toMatchObject({ ok: true });
    expect(second).toMatchObject({ failure: { code: 'busy', what: 'the plan' } });
    expect(other).toMatchObject({ ok: true });
    expect(await world.plan('restart', { user: 'alice' }, by('A'))).toMatchObject({ ok: true });
  });
});

describe('a host that hangs', () => {
  it('ends a plan with timeout, and the next plan works', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), Math.min(ms, 50));
      return controller.signal;
    });
    const world = await host({ copiedByQueries: true });
    const query = vi
      .spyOn(world.context.incus, 'networks')
      .mockImplementation(
        (signal) =>
          new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('it was cut off')))),
      );
    expect((await unplanned(world, 'restart', { user: 'alice' })).code).toBe('timeout');
    query.mockRestore();
    timeout.mockRestore();
    expect((await planned(world, 'restart', { user: 'alice' })).steps).not.toEqual([]);
  });
});
