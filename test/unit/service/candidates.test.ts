/** What completion offers. */
import { expect, it, vi } from 'vitest';
import type { Actor } from '../../../src/domain/access/actor.ts';
import { candidates } from '../../../src/service/candidates.ts';
import { createContainer } from '../../../src/service/create.ts';
import { alice, bob, callBy, hosts, owner } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { carol } from '../../support/world/world.ts';

const key = newKey('alice@desk');
const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [key] }, callBy());
});

it.each<[typed: string | undefined, caller: string, actor: Actor, found: string[]]>([
  ['alice', 'the owner', owner(alice), [key.fingerprint]],
  ['alice-container', 'the owner', owner(alice), [key.fingerprint]],
  ['alice-container', 'an owner of several', owner(alice, bob), [key.fingerprint]],
  ['alice-container', 'another owner', owner(bob), []],
  ['alice-container', 'an admin', carol, [key.fingerprint]],
  [undefined, 'the owner', owner(alice), [key.fingerprint]],
  [undefined, 'an owner of several', owner(alice, bob), []],
])('completion after --user %s offers the keys to %s as far as they may know them', async (user, _, actor, found) => {
  const { context } = await host();
  const offered = await candidates(context, { what: 'fingerprints', user, actor }, new AbortController().signal);
  expect(offered.map(({ value }) => value)).toEqual(found);
});

it('candidates returns at most 200 of any kind', async () => {
  const { context } = await host();
  const names = Array.from({ length: 300 }, (_, i) => `name${i}`);
  vi.spyOn(context.admins, 'list').mockReturnValue(
    names.map((name) => ({ name, role: 'admin', certificate: null, keys: [] })),
  );
  vi.spyOn(context.cas, 'list').mockReturnValue(
    names.map((name) => ({ ...({} as ReturnType<typeof context.cas.list>[number]), name, entryPoints: [] })),
  );
  for (const what of ['admins', 'cas'] as const) {
    expect(await candidates(context, { what, actor: carol }, new AbortController().signal)).toHaveLength(200);
  }
});
