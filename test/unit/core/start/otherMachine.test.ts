/** A home that comes to another machine: accounts and keys are made again from Incus, once. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { followMoves } from '../../../../src/core/start/otherMachine.ts';
import { createContainer } from '../../../../src/service/create.ts';
import { alice, callBy, hosts } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';
import { hostStateOf, type World } from '../../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey('alice@desk')] }, callBy());
});
const log = pino({ level: 'silent' });

describe('a server whose home is on another machine', () => {
  let world: World;
  let statePath: string;
  /** The machine's own disks, by name. */
  const start = async (id: string, disk = id): Promise<void> => {
    const folder = join(world.folder, `disk-${disk}`);
    await mkdir(folder, { recursive: true });
    const machine = { machineId: join(folder, 'machine-id'), ownId: join(folder, 'own-id') };
    await writeFile(machine.machineId, `${id}\n`);
    await followMoves({ service: world.context, journal: world.journal }, statePath, log, machine);
  };
  const accounts = (): string[] => hostStateOf(world.folder).accounts.map(({ name }) => name);
  const moves = async (): Promise<object[]> =>
    ((await world.must('audit', { limit: '1000' })).records as { type: string }[]).filter(
      ({ type }) => type === 'moved',
    );

  beforeEach(async () => {
    world = await host();
    statePath = join(world.folder, 'machine.json');
    await start('a'.repeat(32));
  });

  it('makes what is derived from Incus again, records the move, and does it once', async () => {
    await world.context.accounts.remove('alice');
    await world.context.jumpKeys.remove('alice');
    await start('a'.repeat(32));
    expect(accounts()).not.toContain('alice');
    await start('b'.repeat(32));
    expect(accounts()).toContain('alice');
    expect((await world.must('reconcile')).differences).toEqual([]);
    expect(await moves()).toMatchObject([{ repaired: 2, left: 0 }]);
    await start('b'.repeat(32));
    expect(await moves()).toHaveLength(1);
  });

  it('says nothing of the first machine, and does not disclose its id', async () => {
    expect(await moves()).toEqual([]);
    expect(await readFile(statePath, 'utf8')).toMatch(/"machine": "[0-9a-f]{16}"/);
    expect(await readFile(statePath, 'utf8')).not.toContain('aaaa');
  });

  it.each([
    ['has the id of the other, as from one image', 'a'.repeat(32)],
    ['has no id', ''],
  ])('knows a new disk of the machine that %s', async (_, id) => {
    await world.context.accounts.remove('alice');
    await start(id, 'new');
    expect(accounts()).toContain('alice');
    expect(await moves()).toHaveLength(1);
  });

  it('does not end the server if its file is damaged', async () => {
    await writeFile(statePath, 'x');
    await start('b'.repeat(32));
    expect(await moves()).toEqual([]);
    expect(await readFile(statePath, 'utf8')).toBe('x');
  });
});
