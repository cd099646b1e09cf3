/** Where the journal has public keys as they are: docs/design.md, "The journal". */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hosts } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';

const host = hosts((world) => world.must('image build'));

it('keys are fingerprints in every record but the steps from which undo gives them back', async () => {
  const [desk, phone, admins] = [newKey('alice@desk'), newKey('alice@phone'), newKey('dan@desk')];
  const world = await host();
  const user = 'alice';
  await world.must('create', { user, keys: desk.line });
  await world.must('key add', { user, keys: phone.line });
  await world.must('key remove', { user, key: desk.fingerprint, yes: true });
  await world.must('key replace', { user, keys: desk.line });
  await world.must('admin add', { name: 'dan', keys: admins.line });
  await world.call('key add', { user: 'zoe', keys: phone.line });
  await world.must('delete', { user, yes: true });
  await world.must('trash restore', { user });
  const folder = join(world.folder, 'journal');
  const texts = await Promise.all(
    (await readdir(folder))
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => readFile(join(folder, name), 'utf8')),
  );
  const records = texts
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('{'));
  const whole = records.filter((line) => [desk, phone, admins].some(({ base64 }) => line.includes(base64)));
  const kinds = whole.map((line) => JSON.parse(line) as { type: string; kind?: string; verb: string });
  expect([...new Set(kinds.map(({ type, kind }) => `${type} ${kind ?? ''}`))].sort()).toEqual([
    'step patch-instance',
    'step push-keys',
    'step revoke-keys',
    'step write-jump-keys',
  ]);
  expect([...new Set(kinds.map(({ verb }) => verb))].sort()).toEqual([
    'delete',
    'key add',
    'key remove',
    'key replace',
  ]);
  for (const { fingerprint } of [desk, phone, admins]) expect(records.join('\n')).toContain(fingerprint);
});
