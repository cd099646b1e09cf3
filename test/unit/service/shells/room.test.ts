import { describe, expect, it } from 'vitest';
import { Room } from '../../../../src/service/shells/room.ts';
import type { Actor } from '../../../../src/domain/access/actor.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import type { Notice } from '../../../../src/domain/events/notice.ts';

const admin = (name: string): Actor => ({ name, role: 'admin', entryPoint: 'manage', fingerprint: `SHA256:${name}` });
const owner: Actor = { name: 'alice', role: 'owner', entryPoint: 'self', owns: ['alice', 'ci'] };

function roomWith(...actors: Actor[]): { room: Room; heard: Map<string, Notice[]> } {
  const room = new Room(() => new Date('2026-01-01T00:00:00Z'));
  const heard = new Map<string, Notice[]>();
  for (const actor of actors) {
    const notices: Notice[] = [];
    heard.set(actor.name, notices);
    room.enter(`session of ${actor.name}`, actor, (notice) => notices.push(notice));
  }
  for (const notices of heard.values()) notices.length = 0;
  return { room, heard };
}

const types = (notices: Notice[] | undefined): string[] => (notices ?? []).map(({ type }) => type);

describe('what is done', () => {
  const call = { id: '1', verb: 'stop', target: 'alice', actor: admin('carol'), shell: null } as const;

  it('is told to admins and to the owner of its target', () => {
    const { room, heard } = roomWith(admin('tester'), owner, { ...owner, name: 'bob', owns: ['bob'] });
    room.begun(call);
    room.step('1', { index: 1, total: 1, title: 'Stopping', state: 'begun', elapsedMs: 0 });
    room.ended('1', 1200, undefined);
    expect(types(heard.get('tester'))).toEqual(['begun', 'step', 'ended']);
    expect(types(heard.get('alice'))).toEqual(['begun', 'step', 'ended']);
    expect(types(heard.get('bob'))).toEqual([]);
  });

  it('is not told to the shell that made the call', () => {
    const { room, heard } = roomWith(admin('tester'), admin('carol'));
    room.begun({ ...call, shell: 'session of carol' });
    room.step('1', { index: 1, total: 1, title: 'Stopping', state: 'begun', elapsedMs: 0 });
    room.ended('1', 1200, undefined);
    expect(types(heard.get('tester'))).toEqual(['begun', 'step', 'ended']);
    expect(types(heard.get('carol'))).toEqual([]);
  });

  it('is there to be seen while it runs, with the latest of each step, and not afterwards', () => {
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

  it('ends with its outcome', () => {
    const { room, heard } = roomWith(admin('tester'));
    room.begun(call);
    room.ended('1', 10, new Failure('busy', { what: '"alice"', why: 'another is at work' }));
    expect(heard.get('tester')?.at(-1)).toMatchObject({
      type: 'ended',
      call: { outcome: 'failed', failure: { code: 'busy', what: '"alice"' }, durationMs: 10 },
    });
  });

  it('that nobody began is nothing', () => {
    const { room, heard } = roomWith(admin('tester'));
    room.step('unknown', { index: 1, total: 1, title: 'x', state: 'begun', elapsedMs: 0 });
    room.ended('unknown', 1, undefined);
    expect(heard.get('tester')).toEqual([]);
  });
});

describe('who is here', () => {
  it('is known to admins; owners know of themselves', () => {
    const { room } = roomWith(admin('tester'), admin('carol'), owner);
    expect(room.present(admin('tester')).map(({ name }) => name)).toEqual(['tester', 'carol', 'alice']);
    expect(room.present(owner).map(({ name }) => name)).toEqual(['alice']);
  });

  it('leaves once', () => {
    const { room, heard } = roomWith(admin('tester'), admin('carol'));
    room.leave('session of carol');
    room.leave('session of carol');
    expect(types(heard.get('tester'))).toEqual(['left']);
  });
});

it('what is said goes to the other admins, not to owners', () => {
  const { room, heard } = roomWith(admin('tester'), admin('carol'), owner);
  expect(room.say(admin('carol'), 'hello', 'session of carol')).toBe(1);
  expect(types(heard.get('tester'))).toEqual(['said']);
  expect(types(heard.get('carol'))).toEqual([]);
  expect(types(heard.get('alice'))).toEqual([]);
});
