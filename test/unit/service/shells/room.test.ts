import { describe, expect, it } from 'vitest';
import { Room } from '../../../../src/service/shells/room.ts';
import type { Actor } from '../../../../src/domain/access/actor.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import type { Notice } from '../../../../src/domain/events/notice.ts';

const admin = (name: string): Actor => ({ name, role: 'admin', entryPoint: 'manage', fingerprint: `SHA256:${name}` });
const owner: Actor = { name: 'alice', role: 'owner', entryPoint: 'self', owns: ['alice', 'ci'] };

function roomWith(...actors: Actor[]): { room: Room; received: Map<string, Notice[]> } {
  const room = new Room(() => new Date('2026-01-01T00:00:00Z'));
  const received = new Map<string, Notice[]>();
  for (const actor of actors) {
    const notices: Notice[] = [];
    received.set(actor.name, notices);
    room.enter(`session of ${actor.name}`, actor, (notice) => notices.push(notice));
  }
  for (const notices of received.values()) notices.length = 0;
  return { room, received };
}

const types = (notices: Notice[] | undefined): string[] => (notices ?? []).map(({ type }) => type);

describe('a call in the room', () => {
  const call = { id: '1', verb: 'stop', target: 'alice', actor: admin('carol'), shell: null } as const;

  it('is reported to admins and to the owner of its target', () => {
    const { room, received } = roomWith(admin('tester'), owner, { ...owner, name: 'bob', owns: ['bob'] });
    room.begun(call);
    room.step('1', { index: 1, total: 1, title: 'Stopping', state: 'begun', elapsedMs: 0 });
    room.ended('1', 1200, undefined);
    expect(types(received.get('tester'))).toEqual(['begun', 'step', 'ended']);
    expect(types(received.get('alice'))).toEqual(['begun', 'step', 'ended']);
    expect(types(received.get('bob'))).toEqual([]);
  });

  it('is not reported to the shell that made it', () => {
    const { room, received } = roomWith(admin('tester'), admin('carol'));
    room.begun({ ...call, shell: 'session of carol' });
    room.step('1', { index: 1, total: 1, title: 'Stopping', state: 'begun', elapsedMs: 0 });
    room.ended('1', 1200, undefined);
    expect(types(received.get('tester'))).toEqual(['begun', 'step', 'ended']);
    expect(types(received.get('carol'))).toEqual([]);
  });

  it('is listed with the latest state of each step while it runs, and not afterwards', () => {
    const { room } = roomWith();
    room.begun(call);
    room.step('1', { index: 1, total: 2, title: 'One', state: 'begun', elapsedMs: 0 });
    room.step('1', { index: 1, total: 2, title: 'One', state: 'done', elapsedMs: 5 });
    room.step('1', { index: 2, total: 2, title: 'Two', state: 'begun', elapsedMs: 0 });
    expect(room.running(admin('late'))).toMatchObject([
      {
        verb: 'stop',
        actor: 'carol',
        steps: [
          { index: 1, state: 'done' },
          { index: 2, state: 'begun' },
        ],
      },
    ]);
    expect(room.running(owner)).toHaveLength(1);
    expect(room.running({ ...owner, owns: ['bob'] })).toEqual([]);
    room.ended('1', 10, new Failure('timeout', { what: 'it', why: 'it took too long' }));
    expect(room.running(admin('late'))).toEqual([]);
  });

  it('is reported with its outcome when it ends', () => {
    const { room, received } = roomWith(admin('tester'));
    room.begun(call);
    room.ended('1', 10, new Failure('busy', { what: '"alice"', why: 'another operation is running' }));
    expect(received.get('tester')?.at(-1)).toMatchObject({
      type: 'ended',
      call: { outcome: 'failed', failure: { code: 'busy', what: '"alice"' }, durationMs: 10 },
    });
  });

  it('is ignored if it never began', () => {
    const { room, received } = roomWith(admin('tester'));
    room.step('unknown', { index: 1, total: 1, title: 'x', state: 'begun', elapsedMs: 0 });
    room.ended('unknown', 1, undefined);
    expect(received.get('tester')).toEqual([]);
  });
});

describe('the presence list', () => {
  it('shows every shell to admins, and only their own to owners', () => {
    const { room } = roomWith(admin('tester'), admin('carol'), owner);
    expect(room.present(admin('tester')).map(({ name }) => name)).toEqual(['tester', 'carol', 'alice']);
    expect(room.present(owner).map(({ name }) => name)).toEqual(['alice']);
  });

  it('reports each departure once', () => {
    const { room, received } = roomWith(admin('tester'), admin('carol'));
    room.leave('session of carol');
    room.leave('session of carol');
    expect(types(received.get('tester'))).toEqual(['left']);
  });
});

it('a message in the room goes to the other admins, not to owners', () => {
  const { room, received } = roomWith(admin('tester'), admin('carol'), owner);
  expect(room.say(admin('carol'), 'hello', 'session of carol')).toBe(1);
  expect(types(received.get('tester'))).toEqual(['said']);
  expect(types(received.get('carol'))).toEqual([]);
  expect(types(received.get('alice'))).toEqual([]);
});

describe('an admin and a user of the same name', () => {
  const namesake = { ...admin('alice'), address: '192.0.2.9' };

  it('are two people: the user does not see the shell of the admin, and others see who made a call', () => {
    const room = new Room(() => new Date('2026-01-01T00:00:00Z'));
    const told: Notice[] = [];
    room.enter('of the admin', namesake, () => undefined);
    room.enter('of the owner', owner, () => undefined);
    room.enter('of carol', admin('carol'), (notice) => told.push(notice));
    expect(room.present(owner).map(({ shell }) => shell)).toEqual(['of the owner']);
    expect(room.welcome(owner).present.map(({ address }) => address)).toEqual([null]);
    expect(room.present(namesake).map(({ shell }) => shell)).toEqual(['of the admin', 'of the owner', 'of carol']);
    const call = { id: '1', verb: 'restart', target: 'alice', shell: null };
    room.begun({ ...call, actor: owner });
    room.ended('1', 5, undefined);
    room.begun({ ...call, id: '2', actor: namesake });
    expect(told.map((notice) => ('call' in notice ? notice.call.actor : ''))).toEqual([
      'alice (self@)',
      'alice (self@)',
      'alice',
    ]);
  });
});
