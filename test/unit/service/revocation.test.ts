/**
 * What takes away a right, against root in the container, on a simulated host with the running container of alice, who
 * has the keys of her desk and her laptop.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import type { Reconciliation } from '../../../src/domain/results/upkeep.ts';
import { containerKeysPath } from '../../../src/service/instances/jumpAccount.ts';
import { collectOwners } from '../../../src/service/access/directory.ts';
import { createContainer } from '../../../src/service/create.ts';
import { deleteContainer } from '../../../src/service/delete.ts';
import { addKeys, removeKey, replaceKeys } from '../../../src/service/keys.ts';
import { restartContainer, startContainer, stopContainer } from '../../../src/service/power.ts';
import type { Fault } from '../../../src/simulated/faults/faults.ts';
import { alice, callBy, hosts, owner } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { copyWorld, faultsPath, hostStateOf, World } from '../../support/world/world.ts';

const desk = newKey('alice@desk');
const laptop = newKey('alice@laptop');
const phone = newKey('alice@phone');

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [desk, laptop] }, callBy());
});

/** Root in the container puts a folder in the place of her file of keys. */
const isFolder: Fault = {
  match: { program: 'incus', argIncludes: containerKeysPath(alice) },
  mode: 'fail-before',
  message: 'Error: is a directory',
  repeat: true,
};
const refusesPatches: Fault = { match: { argIncludes: 'PATCH' }, mode: 'fail-before', repeat: true };

/** A host on which some commands fail until {@link setFaults} ends that. */
async function faulty(...faults: readonly Fault[]): Promise<World> {
  const world = await host();
  setFaults(world, faults);
  return world;
}
const setFaults = (world: World, faults: readonly Fault[]): void =>
  writeFileSync(faultsPath(world.folder), JSON.stringify(faults));

const jumpFile = (world: World): string => hostStateOf(world.folder).jumpKeys['alice'] ?? '';
const stored = (world: World): string =>
  hostStateOf(world.folder).instances['alice-container']?.config['user.containarium.keys'] ?? '';
const differences = async (world: World, apply = false): Promise<string[]> =>
  ((await world.must('reconcile', { apply })) as Reconciliation).differences.map(({ kind }) => kind);

/** Returns the records of the journal. */
function recordsOf({ folder }: World): unknown[] {
  const journal = join(folder, 'journal');
  const lines = readdirSync(journal)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(journal, name), 'utf8').trim().split('\n'));
  return lines.map((line): unknown => JSON.parse(line));
}

/** Expects that no copy but the one that root in the container keeps has a key, whatever is repaired. */
async function staysRevoked(world: World, key = laptop): Promise<void> {
  const gone = (): void =>
    expect([jumpFile(world), stored(world)].some((text) => text.includes(key.base64))).toBe(false);
  gone();
  await world.recover();
  gone();
  await world.call('reconcile', { apply: true });
  gone();
  setFaults(world, []);
  await world.recover();
  await world.must('reconcile', { apply: true });
  gone();
}

describe('root in the container who puts a folder in the place of the file of keys', () => {
  it.each([
    ['an admin', callBy(), / and "reconcile" shows the difference$/],
    ['the owner', callBy(owner(alice)), /through this host no removed key opens it$/],
  ])('vetoes no removal of a key by %s', async (_, call, told) => {
    const world = await faulty(isFolder);
    const { removed, warnings, operation } = await removeKey(world.context, { user: alice, key: 'alice@laptop' }, call);
    expect(removed.map(({ fingerprint }) => fingerprint)).toEqual([laptop.fingerprint]);
    expect(operation).not.toBeNull();
    expect(warnings).toEqual([expect.stringMatching(/^the keys in the container could not be written: /)]);
    expect(warnings[0]).toMatch(told);
    expect(world.operations.open()).toEqual([]);
    expect(await differences(world)).toEqual(['container-keys-differ']);
    await staysRevoked(world);
    expect(await world.faults()).toEqual([]);
  });

  it('vetoes no key replace', async () => {
    const world = await faulty(isFolder);
    await replaceKeys(world.context, { user: alice, keys: [desk, phone] }, callBy());
    expect(jumpFile(world)).toContain(phone.base64);
    await staysRevoked(world);
  });

  it('holds no lock by her own keys add, whose undo fails', async () => {
    const world = await faulty(isFolder);
    const added = addKeys(world.context, { user: alice, keys: [phone] }, callBy(owner(alice)));
    await expect(added).rejects.toMatchObject({ code: 'program-failed' });
    expect(world.operations.open()).toEqual([]);
    expect(jumpFile(world)).not.toContain(phone.base64);
    await removeKey(world.context, { user: alice, key: 'alice@laptop' }, callBy());
    await staysRevoked(world);
  });
});

describe('a removal of a key that Incus does not store', () => {
  it('waits, has closed the jump account, and is completed and never undone', async () => {
    const world = await faulty(refusesPatches);
    const removed = removeKey(world.context, { user: alice, key: 'alice@laptop' }, callBy());
    await expect(removed).rejects.toMatchObject({
      code: 'partial',
      why: expect.stringMatching(/it could be neither completed nor undone/) as string,
    });
    // Incus still has the key, and repairing must not bring it back from there.
    expect(await differences(world, true)).toEqual(['operation-unfinished']);
    expect(jumpFile(world)).not.toContain(laptop.base64);
    const [owned] = await collectOwners(world.context);
    expect(owned?.keys.map(({ line }) => line)).toEqual([desk.line]);
    setFaults(world, []);
    await world.recover();
    await staysRevoked(world);
    expect(await world.faults()).toEqual([]);
  });

  it('is completed by the next process', async () => {
    const world = await faulty({ ...refusesPatches, mode: 'down' });
    await expect(removeKey(world.context, { user: alice, key: 'alice@laptop' }, callBy())).rejects.toThrow();
    setFaults(world, []);
    await world.close();
    const next = await World.open(await copyWorld(world.folder, `${world.folder}-next`));
    await next.recover();
    expect(next.operations.open()).toEqual([]);
    await staysRevoked(next);
    expect(await next.faults()).toEqual([]);
    await next.close();
  });
});

/** Makes a restart leave the container of alice stopped, and fail. */
function breakRestart({ context: { incus } }: World): void {
  vi.spyOn(incus, 'restart').mockImplementationOnce(async (name) => {
    await incus.stop(name, { force: true });
    throw new Failure('program-failed', { what: '"incus restart"', why: 'exec /sbin/init: no such file or directory' });
  });
}

describe('root in the container who removes its init before a restart at self@', () => {
  it('holds no lock: an admin stops it, removes a key and deletes it', async () => {
    const world = await host();
    breakRestart(world);
    const failure = new Failure('program-failed', { what: '"incus start"', why: 'exec /sbin/init: no such file' });
    const start = vi.spyOn(world.context.incus, 'start').mockRejectedValue(failure);
    const restarted = restartContainer(world.context, {}, callBy(owner(alice)));
    await expect(restarted).rejects.toMatchObject({ code: 'program-failed', what: 'container "alice-container"' });
    expect(start).toHaveBeenCalled();
    expect(world.operations.open()).toEqual([]);
    expect(await differences(world)).toEqual(['container-stopped']);
    await stopContainer(world.context, { user: alice, force: true }, callBy());
    expect(await differences(world)).toEqual([]);
    await removeKey(world.context, { user: alice, key: 'alice@laptop' }, callBy());
    await deleteContainer(world.context, { user: alice }, callBy());
    expect(jumpFile(world)).toBe('');
  });
});

describe('an operation that only waits', () => {
  const remove = (world: World, key = 'alice@laptop', call = callBy()): ReturnType<typeof removeKey> =>
    removeKey(world.context, { user: alice, key }, call);

  /** Makes a restart that can be neither completed nor undone. */
  async function waiting(): Promise<World> {
    const world = await host();
    breakRestart(world);
    const down = new Failure('incus-unavailable', { what: 'Incus', why: 'its server does not answer' });
    vi.spyOn(world.context.incus, 'start').mockRejectedValue(down);
    const restarted = restartContainer(world.context, { user: alice }, callBy(owner(alice)));
    await expect(restarted).rejects.toMatchObject({ code: 'partial' });
    expect(world.operations.unfinished()).toHaveLength(1);
    return world;
  }

  it.each([
    ['delete', (world: World) => deleteContainer(world.context, { user: alice }, callBy())],
    ['stop --force', (world: World) => stopContainer(world.context, { user: alice, force: true }, callBy())],
    ['key remove', (world: World) => remove(world)],
  ])('is taken over by %s of an admin, and the journal says so', async (verb, act) => {
    const world = await waiting();
    await act(world);
    expect(world.operations.open()).toEqual([]);
    expect(recordsOf(world)).toContainEqual(
      expect.objectContaining({
        type: 'operation-end',
        verb: 'restart',
        outcome: 'abandoned',
        failure: expect.objectContaining({
          why: `it could be neither completed nor undone, and "${verb.replace(' --force', '')}" by carol has taken over`,
        }) as unknown,
      }),
    );
    vi.mocked(world.context.incus.start).mockRestore();
    await world.recover();
    expect(hostStateOf(world.folder).instances['alice-container']?.run ?? null).toBeNull();
  });

  it('is not taken over by a gentle stop, a start, or an owner', async () => {
    const world = await waiting();
    const busy = { code: 'busy' };
    await expect(startContainer(world.context, { user: alice }, callBy())).rejects.toMatchObject(busy);
    await expect(stopContainer(world.context, { user: alice }, callBy())).rejects.toMatchObject(busy);
    await expect(remove(world, 'alice@laptop', callBy(owner(alice)))).rejects.toMatchObject(busy);
    expect(world.operations.unfinished()).toHaveLength(1);
  });

  it('stays if the change that would take it over is refused', async () => {
    const world = await waiting();
    await expect(remove(world, 'alice@nowhere')).rejects.toMatchObject({ code: 'not-found' });
    expect(world.operations.unfinished()).toHaveLength(1);
    await world.recover();
    vi.mocked(world.context.incus.start).mockRestore();
    await world.recover();
    expect(await world.faults()).toEqual([]);
  });

  it('is not taken over if it has not completed a revocation', async () => {
    const world = await faulty(refusesPatches);
    await expect(remove(world)).rejects.toMatchObject({ code: 'partial' });
    await expect(remove(world, 'alice@desk')).rejects.toMatchObject({ code: 'busy' });
    expect(jumpFile(world)).not.toContain(laptop.base64);
  });
});

describe('the first undo that fails', () => {
  it('does not stop those of the jump account', async () => {
    const world = await faulty({ match: { argIncludes: 'push' }, mode: 'down', repeat: true });
    await expect(addKeys(world.context, { user: alice, keys: [phone] }, callBy())).rejects.toMatchObject({
      code: 'partial',
    });
    expect(world.operations.unfinished()).toHaveLength(1);
    expect(jumpFile(world)).not.toContain(phone.base64);
  });
});
