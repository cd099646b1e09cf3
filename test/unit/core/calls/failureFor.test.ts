/** What is suggested to a caller who named a user without a container. */
import { describe, expect, it } from 'vitest';
import { failureFor } from '../../../../src/core/calls/failureFor.ts';
import type { Actor } from '../../../../src/domain/access/actor.ts';
import { findUsername, NoContainer } from '../../../../src/domain/values/username.ts';
import type { HostContext } from '../../../../src/service/instances/context.ts';
import { encodeKeys, store } from '../../../../src/service/instances/metadata.ts';
import { encodeRecord } from '../../../../src/service/trash/record.ts';
import { newKey } from '../../../support/world/keys.ts';

const admin: Actor = { name: 'carol', role: 'admin', entryPoint: 'manage' };
const owner: Actor = { name: 'alice', role: 'owner', entryPoint: 'self', owns: ['alice'] };
const signal = new AbortController().signal;

const withContainersOf = (...users: string[]): Pick<HostContext, 'incus'> => ({
  incus: {
    instances: () =>
      Promise.resolve(
        users.map((user) => ({ name: `${user}-container`, config: { 'user.containarium.owner': user } })),
      ),
  } as never,
});

/** Incus answers nothing, and gives up only when it is told to. */
const hung: Pick<HostContext, 'incus'> = {
  incus: {
    instances: (given?: AbortSignal) =>
      new Promise((_, reject) => given?.addEventListener('abort', () => reject(new Error('aborted')))),
  } as never,
};

function thrownFor(text: string): unknown {
  try {
    return new NoContainer(findUsername(text));
  } catch (error) {
    return error;
  }
}

describe('failureFor', () => {
  it.each([
    ['Alise', 'did you mean "alice"? "list" shows all containers'],
    ['ALICE', 'did you mean "alice"? "list" shows all containers'],
    ['alic', 'did you mean "alice"? "list" shows all containers'],
    ['Zora', '"list" shows all containers'],
  ])('suggests for %s a user that exists, and no other', async (text, next) => {
    expect(await failureFor(thrownFor(text), admin, withContainersOf('alice', 'bob'), signal)).toMatchObject({ next });
  });

  it.each([
    ['Alise', 'did you mean "alice"? yours: alice'],
    ['Bob', 'yours: alice'],
  ])("suggests to an owner who typed %s only the owner's own containers", async (text, next) => {
    expect(await failureFor(thrownFor(text), owner, withContainersOf('alice', 'bob'), signal)).toMatchObject({ next });
  });

  it('waits for the names no longer than a second', async () => {
    const startedMs = performance.now();
    expect(await failureFor(thrownFor('Zora'), admin, hung, signal)).toMatchObject({
      next: '"list" shows all containers',
    });
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });

  it('does not wait for the names when the call is cancelled', async () => {
    const startedMs = performance.now();
    const call = new AbortController();
    const failure = failureFor(thrownFor('Zora'), admin, hung, call.signal);
    call.abort();
    await failure;
    expect(performance.now() - startedMs).toBeLessThan(900);
  });

  describe('for a container in the trash', () => {
    const key = newKey('alice@desk');
    const trashedAt = (name: string, at: string): object => ({
      name,
      config: {
        'user.containarium.keys': encodeKeys(store([key], new Date(0), 'carol')),
        'user.containarium.trashed': encodeRecord({
          user: findUsername('alice'),
          at,
          by: 'dave',
          until: '2027-01-01T00:00:00.000Z',
          ran: true,
          before: { config: {}, devices: {} },
        }),
      },
    });
    const one = [trashedAt('alice-container-1', '2026-11-29T10:00:00.000Z')];
    const two = [...one, trashedAt('alice-container-2', '2026-11-30T10:00:00.000Z')];
    const withTrash = (instances: readonly object[]): Pick<HostContext, 'incus'> => ({
      incus: { instances: () => Promise.resolve(instances) } as never,
    });

    it('says when and by whom it was deleted, and what restores it', async () => {
      expect(await failureFor(thrownFor('alice'), admin, withTrash(one), signal)).toMatchObject({
        code: 'not-found',
        why: 'it was deleted 2026-11-29T10:00Z by dave',
        next: 'restore it: "trash restore alice"',
      });
    });

    it('names the newest of several', async () => {
      expect(await failureFor(thrownFor('alice'), admin, withTrash(two), signal)).toMatchObject({
        next: 'restore it: "trash restore alice alice-container-2"',
      });
    });

    it('sends an owner to an admin, and a viewer too', async () => {
      const next = 'ask an admin to run "trash restore alice"';
      const its = { ...owner, fingerprint: key.fingerprint };
      expect(await failureFor(thrownFor('alice'), its, withTrash(one), signal)).toMatchObject({ next });
      expect(await failureFor(thrownFor('alice'), { ...admin, role: 'viewer' }, withTrash(one), signal)).toMatchObject({
        next,
      });
    });

    it('tells nothing to an owner whose key did not open it', async () => {
      const bob: Actor = { ...owner, name: 'bob', owns: ['bob'], fingerprint: newKey('bob@desk').fingerprint };
      const told = await failureFor(thrownFor('alice'), bob, withTrash(one), signal);
      expect(told.toData()).toEqual((await failureFor(thrownFor('alice'), bob, withTrash([]), signal)).toData());
    });
  });
});
