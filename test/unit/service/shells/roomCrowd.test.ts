/** What the room reports to few shells and to a crowd. */
import { expect, it } from 'vitest';
import { Room } from '../../../../src/service/shells/room.ts';
import type { Actor } from '../../../../src/domain/access/actor.ts';
import type { Notice } from '../../../../src/domain/events/notice.ts';

const admin = (name: string): Actor => ({ name, role: 'admin', entryPoint: 'manage', fingerprint: 'SHA256:x' });
const owner: Actor = { name: 'alice', role: 'owner', entryPoint: 'self', fingerprint: 'SHA256:y', owns: ['alice'] };
const call = { id: 'call-1', verb: 'stop', target: 'alice', actor: admin('carol'), shell: null };

/** Returns a room with this many admins' shells, and the notices that each receives from now on. */
function roomOf(shells: number): { room: Room; received: Map<string, Notice[]> } {
  const room = new Room();
  const received = new Map<string, Notice[]>();
  for (let i = 1; i <= shells; i++) enter(room, received, `shell-${i}`, admin(`admin-${i}`));
  for (const notices of received.values()) notices.length = 0;
  return { room, received };
}

function enter(room: Room, received: Map<string, Notice[]>, shell: string, actor: Actor): void {
  received.set(shell, []);
  room.enter(shell, actor, (notice) => received.get(shell)?.push(notice));
}

const receivedTypes = (received: Map<string, Notice[]>): string[] => [
  ...new Set([...received.values()].flat().map(({ type }) => type)),
];

it('a room with few shells reports every arrival, departure and step', () => {
  const { room, received } = roomOf(3);
  enter(room, received, 'new', admin('dave'));
  room.begun(call);
  room.step('call-1', { index: 1, total: 1, title: 'Stop it', state: 'begun', elapsedMs: 0 });
  room.ended('call-1', 5, undefined);
  room.leave('new');
  expect(received.get('shell-1')?.map(({ type }) => type)).toEqual(['entered', 'begun', 'step', 'ended', 'left']);
  expect(room.welcome(admin('admin-1'))).toMatchObject({
    crowded: false,
    present: [{ name: 'admin-1' }, { name: 'admin-2' }, { name: 'admin-3' }],
  });
});

it('a crowd is told about no arrival or departure, and about calls only when they end', () => {
  const { room, received } = roomOf(30);
  enter(room, received, 'new', admin('dave'));
  room.leave('shell-30');
  expect(receivedTypes(received)).toEqual([]);
  room.begun(call);
  room.step('call-1', { index: 1, total: 1, title: 'Stop it', state: 'begun', elapsedMs: 0 });
  expect(room.welcome(admin('dave'))).toEqual({ crowded: true, present: [], running: [] });
  room.ended('call-1', 5, undefined);
  room.say(admin('admin-1'), 'hello', 'shell-1');
  expect(received.get('new')?.map(({ type }) => type)).toEqual(['ended', 'said']);
  expect(room.present(admin('dave'))).toHaveLength(30);
});

it('an owner in a crowd is told about every call on their container', () => {
  const { room, received } = roomOf(30);
  enter(room, received, 'own', owner);
  room.begun(call);
  room.ended('call-1', 5, undefined);
  expect(received.get('own')?.map(({ type }) => type)).toEqual(['begun', 'ended']);
  expect(room.welcome(owner)).toMatchObject({ crowded: false, present: [{ name: 'alice' }] });
});

it('a room reports once that it has become a crowd, and who is present when the crowd ends', () => {
  const { room, received } = roomOf(20);
  enter(room, received, 'new', admin('dave'));
  expect(received.get('shell-1')).toEqual([{ type: 'crowd', crowded: true, present: [] }]);
  expect(received.get('new')).toEqual([]);
  room.leave('shell-20');
  expect(received.get('shell-1')).toHaveLength(1);
  for (let i = 19; i > 14; i--) room.leave(`shell-${i}`);
  const last = received.get('shell-1')?.at(-1);
  expect(last).toMatchObject({ type: 'crowd', crowded: false });
  expect(received.get('shell-1')).toHaveLength(2);
  expect(last?.type === 'crowd' ? last.present : []).toHaveLength(15);
});
