import { expect, test } from 'vitest';
import { OwnTurns } from '../../../../src/core/turns/ownTurns.ts';

const never = new AbortController().signal;
const viewer = (name: string) => ({ name, entryPoint: 'manage' }) as const;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a hundred searches of the journal by one person run one after another, beside those of others', async () => {
  const turns = new OwnTurns();
  const running = new Map<string, number>();
  let most = 0;
  const search = (name: string): Promise<void> =>
    turns.run(viewer(name), never, async () => {
      running.set(name, (running.get(name) ?? 0) + 1);
      most = Math.max(most, running.get(name) ?? 0);
      await turn();
      running.set(name, (running.get(name) ?? 0) - 1);
    });
  const all = Promise.all(Array.from({ length: 200 }, (_, n) => search(n % 2 === 0 ? 'vera' : 'carol')));
  await turn();
  expect([...running.keys()]).toEqual(['vera', 'carol']);
  await all;
  expect(most).toBe(1);
});

test('a search whose caller has gone does not run, and one that fails keeps none from running', async () => {
  const turns = new OwnTurns();
  const gone = new AbortController();
  const first = turns.run(viewer('vera'), never, () => turn().then(() => Promise.reject(new Error('unreadable'))));
  const second = turns.run(viewer('vera'), gone.signal, () => Promise.resolve('ran'));
  const third = turns.run(viewer('vera'), never, () => Promise.resolve('ran'));
  gone.abort(new Error('gone'));
  await expect(first).rejects.toThrow('unreadable');
  await expect(second).rejects.toThrow('gone');
  expect(await third).toBe('ran');
});
