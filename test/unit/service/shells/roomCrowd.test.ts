/** The room: who is told what, in a handful and in a crowd. */
import { expect, it } from 'vitest';
import { Room } from '../../../../src/service/shells/room.ts';
import type { Actor } from '../../../../src/domain/access/actor.ts';
import type { Notice } from '../../../../src/domain/events/notice.ts';

const admin = (name: string): Actor => ({ name, role: 'admin', entryPoint: 'manage', fingerprint: 'SHA256:x' });
const owner: Actor = { name: 'alice', role: 'owner', entryPoint: 'self', fingerprint: 'SHA256:y', owns: ['alice'] };
const call = { id: 'call-1', verb: 'stop', target: 'alice', actor: admin('carol'), shell: null };

/** A room with this many admins' shells, and what each of them is told from now on. */
function roomOf(shells: number): { room: Room; told: Map<string, Notice[]> } {
  const room = new Room();
  const told = new Map<string, Notice[]>();
  for (let i = 1; i <= shells; i++) enter(room, told, `shell-${i}`, admin(`admin-${i}`));
  for (const notices of told.values()) notices.length = 0;
  return { room, told };
}

function enter(room: Room, told: Map<string, Notice[]>, shell: string, actor: Actor): void {
  told.set(shell, []);
  room.enter(shell, actor, (notice) => told.get(shell)?.push(notice));
}

const typesTold = (told: Map<string, Notice[]>): string[] => [
  ...new Set([...told.values()].flat().map(({ type }) => type)),
];

it('tells a handful of everybody who comes and goes, and of every step', () => {
  const { room, told } = roomOf(3);
  enter(room, told, 'new', admin('dave'));
  room.begun(call);
  room.step('call-1', { index: 1, total: 1, title: 'Stop it', state: 'begun', elapsedMs: 0 });
  room.ended('call-1', 5, undefined);
  room.leave('new');
  expect(told.get('shell-1')?.map(({ type }) => type)).toEqual(['entered', 'begun', 'step', 'ended', 'left']);
  expect(room.welcome(admin('admin-1'))).toMatchObject({
    crowded: false,
    present: [{ name: 'admin-1' }, { name: 'admin-2' }, { name: 'admin-3' }],
  });
});

it('tells a crowd nothing of who comes and goes, and of changes only that they have ended', () => {
  const { room, told } = roomOf(30);
  enter(room, told, 'new', admin('dave'));
  room.leave('shell-30');
  expect(typesTold(told)).toEqual([]);
  room.begun(call);
  room.step('call-1', { index: 1, total: 1, title: 'Stop it', state: 'begun', elapsedMs: 0 });
  expect(room.welcome(admin('dave'))).toEqual({ crowded: true, present: [], running: [] });
  room.ended('call-1', 5, undefined);
  room.say(admin('admin-1'), 'hello', 'shell-1');
  expect(told.get('new')?.map(({ type }) => type)).toEqual(['ended', 'said']);
  expect(room.present(admin('dave'))).toHaveLength(30);
});

it('tells owners what is done to theirs in a crowd too', () => {
  const { room, told } = roomOf(30);
  enter(room, told, 'own', owner);
  room.begun(call);
  room.ended('call-1', 5, undefined);
  expect(told.get('own')?.map(({ type }) => type)).toEqual(['begun', 'ended']);
  expect(room.welcome(owner)).toMatchObject({ crowded: false, present: [{ name: 'alice' }] });
});

it('tells once that it has become a crowd, and who is there when it is none any more', () => {
  const { room, told } = roomOf(20);
  enter(room, told, 'new', admin('dave'));
  expect(told.get('shell-1')).toEqual([{ type: 'crowd', crowded: true, present: [] }]);
  expect(told.get('new')).toEqual([]);
  room.leave('shell-20');
  expect(told.get('shell-1')).toHaveLength(1);
  for (let i = 19; i > 14; i--) room.leave(`shell-${i}`);
  const last = told.get('shell-1')?.at(-1);
  expect(last).toMatchObject({ type: 'crowd', crowded: false });
  expect(told.get('shell-1')).toHaveLength(2);
  expect(last?.type === 'crowd' ? last.present : []).toHaveLength(15);
});
