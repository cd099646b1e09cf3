import { expect, test } from 'vitest';
import type { ReadOptions } from '../../../../src/host/incus/reads.ts';
import { HostTurns, inTurns } from '../../../../src/core/turns/hostTurns.ts';
import { onBehalfOf, onBehalfOfAll } from '../../../../src/domain/access/caller.ts';

const admin = (name: string) => ({ name, entryPoint: 'manage' }) as const;
const owner = (name: string) => ({ name, entryPoint: 'self' }) as const;
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Work that lasts until `end`. */
function longWork() {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const work = (label: string) => (): Promise<string> => {
    begun.push(label);
    return new Promise((resolve) => ends.push(() => resolve(label)));
  };
  return { begun, work, end: () => ends.shift()?.() };
}

test('a hundred programs of one person leave room for the first of another', async () => {
  const turns = new HostTurns({ atOnce: 8, ofOwners: 6, perPerson: 4 });
  const { begun, work } = longWork();
  for (let n = 0; n < 100; n++) void onBehalfOf(admin('vera'), () => turns.run(undefined, work('vera')));
  void onBehalfOf(admin('carol'), () => turns.run(undefined, work('carol')));
  await settled();
  expect(begun).toEqual(['vera', 'vera', 'vera', 'vera', 'carol']);
});

test('owners together leave room for an admin', async () => {
  const turns = new HostTurns({ atOnce: 8, ofOwners: 6, perPerson: 4 });
  const { begun, work } = longWork();
  for (let n = 0; n < 20; n++) void onBehalfOf(owner(`user${n}`), () => turns.run(undefined, work('owner')));
  void onBehalfOf(admin('carol'), () => turns.run(undefined, work('carol')));
  await settled();
  expect(begun).toEqual([...Array.from({ length: 6 }, () => 'owner'), 'carol']);
});

test('who waits comes when a turn ends, and an earlier comer first', async () => {
  const turns = new HostTurns({ atOnce: 1, ofOwners: 1, perPerson: 1 });
  const { begun, work, end } = longWork();
  const all = ['vera', 'carol', 'dave'].map((name) => onBehalfOf(admin(name), () => turns.run(undefined, work(name))));
  await settled();
  expect(begun).toEqual(['vera']);
  end();
  await settled();
  expect(begun).toEqual(['vera', 'carol']);
  end();
  await settled();
  end();
  expect(await Promise.all(all)).toEqual(['vera', 'carol', 'dave']);
});

test('upkeep and root on the host do not wait', async () => {
  const turns = new HostTurns({ atOnce: 1, ofOwners: 1, perPerson: 1 });
  const { begun, work } = longWork();
  void onBehalfOf(admin('vera'), () => turns.run(undefined, work('vera')));
  void turns.run(undefined, work('upkeep'));
  void onBehalfOf({ name: 'root', entryPoint: 'local' }, () => turns.run(undefined, work('root')));
  await settled();
  expect(begun.toSorted()).toEqual(['root', 'upkeep', 'vera']);
});

test('what others wait for does not wait for a turn of the person whose call began it', async () => {
  const turns = new HostTurns({ atOnce: 1, ofOwners: 1, perPerson: 1 });
  const { begun, work } = longWork();
  void onBehalfOf(admin('vera'), async () => {
    void turns.run(undefined, work('a long program'));
    await onBehalfOfAll(() => turns.run(undefined, work('the password files')));
  });
  await settled();
  expect(begun.toSorted()).toEqual(['a long program', 'the password files']);
});

test('a call that is cancelled leaves its place, and one that runs keeps it until it has ended', async () => {
  const host = inTurns({
    runner: { run: () => Promise.reject(new Error('no program')) },
    reads: {
      document: (path: string, { signal }: ReadOptions) =>
        signal?.aborted === true ? Promise.reject(new Error('cancelled')) : work(path)(),
      text: () => Promise.reject(new Error('no text')),
    },
  });
  const { begun, work, end } = longWork();
  const gone = new AbortController();
  const read = (path: string) =>
    onBehalfOf(admin('vera'), () => host.reads.document(path, { timeoutMs: 1000, signal: gone.signal }));
  const four = ['a', 'b', 'c', 'd'].map(read);
  const waiting = read('e');
  await settled();
  gone.abort();
  await expect(waiting).rejects.toThrow('cancelled');
  const later = onBehalfOf(admin('vera'), () => host.reads.document('f', { timeoutMs: 1000 }));
  await settled();
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
  end();
  await settled();
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'f']);
  for (let n = 0; n < 4; n++) end();
  expect(await Promise.all([...four, later])).toEqual(['a', 'b', 'c', 'd', 'f']);
});

test('the failure of a program is that of its turn, and the next one has its turn', async () => {
  const turns = new HostTurns({ atOnce: 1, ofOwners: 1, perPerson: 1 });
  const failing = onBehalfOf(admin('vera'), () => turns.run(undefined, () => Promise.reject(new Error('status 1'))));
  const next = onBehalfOf(admin('vera'), () => turns.run(undefined, () => Promise.resolve('ran')));
  await expect(failing).rejects.toThrow('status 1');
  expect(await next).toBe('ran');
});
