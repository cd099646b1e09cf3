/** What a question says is at stake, and what is refused before it is asked. */
import { describe, expect, it } from 'vitest';
import { readStakes } from '../../../src/catalogue/atStake.ts';
import { verbNamed, type VerbName } from '../../../src/catalogue/catalogue.ts';
import type { Actor } from '../../../src/domain/access/actor.ts';
import { deleteContainer } from '../../../src/service/delete.ts';
import { createContainer } from '../../../src/service/create.ts';
import { nameBackup } from '../../support/backups.ts';
import { alice, bob, callBy, hosts, owner } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { backupsPath, carol, type World } from '../../support/world/world.ts';

const backup = '20261129-120000-abcd';
const host = hosts(async (world) => {
  await world.must('image build');
  for (const user of [alice, bob])
    await createContainer(world.context, { user, keys: [newKey(`${user}@desk`)] }, callBy());
  await world.must('snapshot create', { user: 'alice', name: 'kept' });
  await world.must('backup create', { user: 'alice' });
  await nameBackup(backupsPath(world.folder), 'alice-container', backup);
  for (const _ of [1, 2]) {
    await deleteContainer(world.context, { user: bob }, callBy());
    await createContainer(world.context, { user: bob, keys: [newKey('bob@desk')] }, callBy());
  }
});

function stakes(
  world: World,
  name: VerbName,
  input: Record<string, unknown>,
  actor: Actor = carol,
): ReturnType<typeof readStakes> {
  return readStakes(verbNamed(name), input, actor, async (verb, read) => {
    const outcome = await world.call(verb, read, actor);
    if (!outcome.ok) throw outcome.failure;
    return outcome.result as unknown;
  });
}

describe('the question of', () => {
  it.each<[name: VerbName, input: Record<string, unknown>, facts: Record<string, RegExp>]>([
    ['delete', { user: 'alice', backup: true }, { Snapshots: /^1 snapshot, kept with/, Backup: /first/ }],
    ['delete', { user: 'alice', purge: true }, { Snapshots: /^1 snapshot, deleted with/ }],
    ['snapshot delete', { user: 'alice', snapshot: 'kept' }, { Container: /^alice-container$/, Snapshot: /^kept$/ }],
    [
      'backup delete',
      { user: 'alice', backup },
      { Container: /^alice-/, Backup: new RegExp(backup), Verified: /never/ },
    ],
    ['backup restore', { user: 'alice', backup: 'latest' }, { Backup: new RegExp(`${backup} \\(the newest\\)`) }],
  ])('%s %o says what is at stake', async (name, input, facts) => {
    const found = Object.fromEntries(await stakes(await host(), name, input));
    for (const [label, value] of Object.entries(facts)) expect(found[label]).toMatch(value);
  });

  it('trash purge with a name says who deleted it, and until when it is kept', async () => {
    const world = await host();
    const { trashed } = await world.must('trash list');
    const found = Object.fromEntries(await stakes(world, 'trash purge', { user: 'bob', name: trashed[0].name }));
    expect(found).toMatchObject({
      Container: trashed[0].name,
      Deleted: expect.stringContaining('by carol') as string,
      'Kept until': expect.stringContaining('UTC') as string,
    });
  });
});

describe('instead of a question', () => {
  it.each<[name: VerbName, input: Record<string, unknown>, code: string, next: string]>([
    ['delete', { user: 'zoe' }, 'not-found', 'list'],
    ['snapshot delete', { user: 'alice', snapshot: 'nope' }, 'not-found', 'see "snapshot list alice"'],
    ['snapshot restore', { user: 'alice', snapshot: 'nope' }, 'not-found', 'see "snapshot list alice"'],
    ['trash purge', { user: 'nobody' }, 'not-found', 'see "trash list"'],
    ['trash purge', { user: 'bob' }, 'usage', 'name one: bob-container-'],
    ['backup delete', { user: 'bob', backup }, 'not-found', 'see "backup list bob"'],
    ['backup restore', { user: 'bob', backup: 'latest' }, 'not-found', 'see "backup list bob"'],
  ])('of %s %o comes the failure of the call: %s', async (name, input, code, next) => {
    await expect(stakes(await host(), name, input)).rejects.toMatchObject({
      code,
      next: expect.stringContaining(next) as string,
    });
  });

  it('an owner is told a next step of their own', async () => {
    await expect(stakes(await host(), 'snapshot restore', { snapshot: 'nope' }, owner(alice))).rejects.toMatchObject({
      code: 'not-found',
      next: 'see "snapshot list"',
    });
  });
});
