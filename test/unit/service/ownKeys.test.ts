/**
 * `keys`, `keys add`, `keys invite` and `keys remove` at self@ on a simulated host, and the use of their invitations:
 * alice has the key of her desk, bob has his.
 */
import { describe, expect, it } from 'vitest';
import { Logins } from '../../../src/core/logins/logins.ts';
import type { Actor } from '../../../src/domain/access/actor.ts';
import { invitationLogin } from '../../../src/domain/access/invitation.ts';
import type { FailureCode } from '../../../src/domain/failure.ts';
import { parsePublicKey, type PublicKey } from '../../../src/domain/keys/publicKey.ts';
import { parseName } from '../../../src/domain/values/username.ts';
import { collectOwners, makeDirectory } from '../../../src/service/access/directory.ts';
import { createContainer } from '../../../src/service/create.ts';
import { deleteContainer } from '../../../src/service/delete.ts';
import { cancelInvitation, listInvitations } from '../../../src/service/invitations.ts';
import { addKeys, listKeys, removeKey } from '../../../src/service/keys.ts';
import { addOwnKeys, inviteOwnKey, listOwnKeys, removeOwnKey } from '../../../src/service/ownKeys.ts';
import { useInvitation, type Bound, type ProofVerifier } from '../../../src/service/useInvitation.ts';
import { makeIdentity, prove, type IdentityKey } from '../../support/proofs.ts';
import { alice, bob, callBy, changesOf, hosts, owner, refused, whileHeld } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import type { World } from '../../support/world/world.ts';

interface Pair {
  readonly pair: IdentityKey;
  readonly key: PublicKey;
}

const keyPair = (comment: string): Pair => {
  const pair = makeIdentity({ owns: [] });
  return { pair, key: parsePublicKey(`ssh-ed25519 ${pair.identity.blob} ${comment}`) };
};
const desk = newKey('alice@desk');
const laptop = keyPair('alice@laptop');
const bobs = keyPair('bob@desk');
const stranger = keyPair('eve@desk');

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: bob, keys: [bobs.key] }, callBy());
  await createContainer(world.context, { user: alice, keys: [desk] }, callBy());
});

const asAlice: Actor = { ...owner(alice), fingerprint: desk.fingerprint };
const add = (world: World, keys: PublicKey[] = [laptop.key], by = asAlice): ReturnType<typeof addOwnKeys> =>
  addOwnKeys(world.context, { keys }, callBy(by));
const tokenFor = async (world: World, key = laptop.key): Promise<string> =>
  (await add(world, [key])).invitations[0]?.token ?? '';
const keysOf = async (world: World, user = alice): Promise<string[]> =>
  (await listKeys(world.context, { user }, callBy())).keys.map(({ comment }) => comment);
const denied = expect.objectContaining({ code: 'denied' }) as Error;

interface Use {
  readonly records?: { readonly type: string }[];
  /** Verifies the proof; by default against the present directory. */
  readonly logins?: ProofVerifier;
}

/** Returns the logins of core with the present directory. */
async function loginsOf({ context }: World): Promise<Logins> {
  const logins = new Logins({ now: () => new Date() });
  logins.replaceDirectory(makeDirectory(context, await collectOwners(context)));
  return logins;
}

/** Uses an invitation as core does for a client that shows this key. */
async function use(world: World, token: string, { pair }: Pair, { records = [], logins }: Use = {}): Promise<Bound> {
  const { context } = world;
  return useInvitation(
    {
      service: context,
      admins: context.admins,
      invitations: context.invitations,
      logins: logins ?? (await loginsOf(world)),
      journal: { append: (entry) => Promise.resolve(records.push(entry)) as never },
      changed: () => Promise.resolve(),
    },
    prove(pair, invitationLogin(token)),
    '192.0.2.1',
  );
}

describe('keys add', () => {
  it('adds nothing before the key has signed, and then adds it with its comment', async () => {
    const world = await host();
    const { user, unchanged, invitations } = await add(world, [laptop.key, desk]);
    expect([user, unchanged.map(({ comment }) => comment)]).toEqual(['alice', ['alice@desk']]);
    expect(invitations).toMatchObject([
      { invitation: { by: 'alice', byOwner: true, fingerprint: laptop.key.fingerprint, comment: 'alice@laptop' } },
    ]);
    expect([await keysOf(world), changesOf(world)]).toEqual([['alice@desk'], []]);
    const [made] = invitations;
    expect(made?.command).toBe(`ssh -p 2222 invite-${made?.token ?? ''}@198.51.100.1`);
    expect(await use(world, made?.token ?? '', laptop)).toEqual({
      entryPoint: 'self',
      name: 'alice',
      fingerprint: laptop.key.fingerprint,
    });
    expect(await keysOf(world)).toEqual(['alice@desk', 'alice@laptop']);
    expect(await world.faults()).toEqual([]);
  });

  it('gives the same answer for the key of another owner as for a key that nobody has', async () => {
    const world = await host();
    const answer = async (key: PublicKey): Promise<string> => {
      const [made] = (await add(world, [key])).invitations;
      return JSON.stringify(made)
        .replaceAll(made?.token ?? '', 'TOKEN')
        .replaceAll(made?.invitation.id ?? '', 'ID')
        .replaceAll(made?.invitation.expiresAt ?? '', 'TIME')
        .replaceAll(key.fingerprint, 'KEY')
        .replaceAll(key.comment, 'COMMENT');
    };
    expect(await answer(bobs.key)).toBe(await answer(stranger.key));
    expect(await keysOf(world)).toEqual(['alice@desk']);
  });

  it('is recorded with the key that invited and the key that was added', async () => {
    const world = await host();
    const records: { readonly type: string }[] = [];
    await use(world, await tokenFor(world), laptop, { records });
    const record = {
      verb: 'keys add',
      target: 'alice',
      actor: { name: 'alice', entryPoint: 'self', fingerprint: laptop.key.fingerprint, address: '192.0.2.1' },
      invitation: { by: 'alice', byOwner: { fingerprint: desk.fingerprint } },
    };
    expect(records).toMatchObject([
      { type: 'invitation-used', ...record },
      { type: 'outcome', outcome: 'ok', ...record },
    ]);
  });

  it.each<[what: string, user: string | undefined, by: Actor, code: FailureCode]>([
    ['the container of another owner', 'bob', asAlice, 'not-found'],
    ['no container where the key has several', undefined, owner(alice, bob), 'usage'],
  ])('refuses %s', async (_, user, by, code) => {
    const world = await host();
    const request = { keys: [laptop.key], user: user === undefined ? undefined : parseName(user) };
    expect((await refused(world, () => addOwnKeys(world.context, request, callBy(by)))).code).toBe(code);
  });
});

describe('an invitation of an owner', () => {
  it('for one key is denied to every other key, also to one that a front accepted', async () => {
    const world = await host();
    const token = await tokenFor(world, bobs.key);
    await expect(use(world, token, stranger)).rejects.toEqual(denied);
    expect(world.context.invitations.ofOwner('alice')).toHaveLength(1);
    expect(await keysOf(world)).toEqual(['alice@desk']);
  });

  it('for one key is bound by core to this key alone, even if the proof of another verifies', async () => {
    const world = await host();
    const token = await tokenFor(world);
    const [{ hash } = { hash: '' }] = world.context.invitations.all;
    const key = { type: 'ssh-ed25519', blob: Buffer.from(stranger.pair.identity.blob, 'base64') };
    const attempt = use(world, token, stranger, { logins: { proveInvitation: () => ({ hash, key }) } });
    await expect(attempt).rejects.toEqual(denied);
    expect(await keysOf(world)).toEqual(['alice@desk']);
  });

  it('for any key adds the key that uses it, once', async () => {
    const world = await host();
    const { token, invitation } = await inviteOwnKey(world.context, {}, callBy(asAlice));
    expect(invitation).toMatchObject({ name: 'alice', byOwner: true, fingerprint: null, comment: null });
    const uses = await Promise.allSettled([use(world, token, laptop), use(world, token, stranger)]);
    expect(uses.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await keysOf(world)).toHaveLength(2);
  });

  it('ends with the key that made it', async () => {
    const world = await host();
    const token = await tokenFor(world);
    await addKeys(world.context, { user: alice, keys: [stranger.key] }, callBy());
    await removeKey(world.context, { user: alice, key: desk.fingerprint }, callBy());
    await expect(use(world, token, laptop)).rejects.toEqual(denied);
    expect(await keysOf(world)).toEqual(['eve@desk']);
  });

  it('is denied by the container itself if the key that made it was removed after the proof', async () => {
    const world = await host();
    const { token } = await inviteOwnKey(world.context, {}, callBy(asAlice));
    const logins = await loginsOf(world);
    await addKeys(world.context, { user: alice, keys: [stranger.key] }, callBy());
    await removeKey(world.context, { user: alice, key: desk.fingerprint }, callBy());
    const attempt = use(world, token, laptop, { logins });
    await expect(attempt).rejects.toEqual(denied);
    expect(await keysOf(world)).toEqual(['eve@desk']);
  });

  it('does not open a container of the same name that was created after the owner lost the first', async () => {
    const world = await host();
    const token = await tokenFor(world);
    await deleteContainer(world.context, { user: alice, yes: true } as never, callBy());
    await expect(use(world, token, laptop)).rejects.toEqual(denied);
    await createContainer(world.context, { user: alice, keys: [stranger.key] }, callBy());
    await expect(use(world, token, laptop)).rejects.toEqual(denied);
    expect(await keysOf(world)).toEqual(['eve@desk']);
  });

  it('stays open if the container is busy, and is listed and cancelled by admins too', async () => {
    const world = await host();
    const token = await tokenFor(world);
    await expect(whileHeld(world, 'alice', () => use(world, token, laptop))).rejects.toMatchObject({ code: 'busy' });
    const { invitations } = await listInvitations(world.context);
    expect(invitations).toMatchObject([{ by: 'alice', byOwner: true, fingerprint: laptop.key.fingerprint }]);
    await cancelInvitation(world.context, { invitation: 'alice' });
    await expect(use(world, token, laptop)).rejects.toEqual(denied);
  });

  it('leaves the other containers of the key as they are, although the key lost them meanwhile', async () => {
    const world = await host();
    const token = await tokenFor(world, bobs.key);
    await removeKey(world.context, { user: bob, key: bobs.key.fingerprint, yes: true }, callBy());
    expect(await use(world, token, bobs)).toMatchObject({ name: 'alice' });
    expect([await keysOf(world), await keysOf(world, bob)]).toEqual([['alice@desk', 'bob@desk'], []]);
  });
});

describe('keys', () => {
  it("lists the owner's open invitations, and no other's", async () => {
    const world = await host();
    await add(world);
    await add(world, [stranger.key], { ...owner(bob), fingerprint: bobs.key.fingerprint });
    const { keys, invitations } = await listOwnKeys(world.context, {}, callBy(asAlice));
    expect(keys.map(({ comment }) => comment)).toEqual(['alice@desk']);
    expect(invitations.map(({ comment }) => comment)).toEqual(['alice@laptop']);
  });
});

describe('keys remove', () => {
  const remove = (world: World, key: string): ReturnType<typeof removeOwnKey> =>
    removeOwnKey(world.context, { key }, callBy(asAlice));

  it.each([
    ['the fingerprint of its key', () => laptop.key.fingerprint],
    ['the beginning of that fingerprint', () => laptop.key.fingerprint.slice(0, 'SHA256:'.length + 10)],
    ['the comment of its key', () => 'alice@laptop'],
    ['its id', (id: string) => id],
  ])('cancels an invitation by %s, and changes no key', async (_, selector) => {
    const world = await host();
    const [made] = (await add(world)).invitations;
    expect(await remove(world, selector(made?.invitation.id ?? ''))).toMatchObject({
      removed: [],
      operation: null,
      keys: [{ comment: 'alice@desk' }],
      cancelled: [made?.invitation],
    });
    expect(world.context.invitations.ofOwner('alice')).toEqual([]);
    expect(changesOf(world)).toEqual([]);
    await expect(use(world, made?.token ?? '', laptop)).rejects.toEqual(denied);
  });

  it('removes a key together with an invitation that would add it again', async () => {
    const world = await host();
    const token = await tokenFor(world);
    await addKeys(world.context, { user: alice, keys: [laptop.key] }, callBy());
    const { removed, cancelled } = await remove(world, 'alice@laptop');
    expect([removed.length, cancelled.length]).toEqual([1, 1]);
    await expect(use(world, token, laptop)).rejects.toEqual(denied);
  });

  it("refuses another owner's invitation as one that does not exist", async () => {
    const world = await host();
    const [made] = (await add(world, [stranger.key], { ...owner(bob), fingerprint: bobs.key.fingerprint })).invitations;
    for (const selector of [made?.invitation.id ?? '', stranger.key.fingerprint, 'eve@desk'])
      expect((await refused(world, () => remove(world, selector))).code).toBe('not-found');
    expect(world.context.invitations.ofOwner('bob')).toHaveLength(1);
  });

  it('of the last key cancels nothing if it is refused', async () => {
    const world = await host();
    await add(world);
    expect((await refused(world, () => remove(world, desk.fingerprint))).code).toBe('last-key');
    expect(world.context.invitations.ofOwner('alice')).toHaveLength(1);
  });
});
