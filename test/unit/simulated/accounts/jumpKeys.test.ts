import { expect, test } from 'vitest';
import { fixture } from '../support.ts';

test('jump keys can be written, replaced, listed and removed', async () => {
  const { jumpKeys } = fixture().host;
  expect(await jumpKeys.read('alice')).toBeUndefined();
  expect(await jumpKeys.users()).toEqual([]);
  await jumpKeys.write('bob', 'one\n');
  await jumpKeys.write('alice', 'two\n');
  await jumpKeys.write('bob', 'three\n');
  expect(await jumpKeys.read('bob')).toBe('three\n');
  expect(await jumpKeys.users()).toEqual(['alice', 'bob']);
  await jumpKeys.remove('bob');
  await jumpKeys.remove('bob');
  expect(await jumpKeys.users()).toEqual(['alice']);
});

test('jump keys refuse a user that is no valid file name, and accept the name of an inherited property', async () => {
  const { jumpKeys } = fixture().host;
  for (const name of ['', '../x', 'Bob', 'a/b', 'a'.repeat(33), '__proto__']) {
    await expect(jumpKeys.read(name)).rejects.toMatchObject({ code: 'invalid-user' });
    await expect(jumpKeys.write(name, '')).rejects.toMatchObject({ code: 'invalid-user' });
    await expect(jumpKeys.remove(name)).rejects.toMatchObject({ code: 'invalid-user' });
  }
  expect(await jumpKeys.read('constructor')).toBeUndefined();
});

test('jump key calls are subject to faults of the program jump-keys', async () => {
  const { host } = fixture({
    faults: [
      { match: { program: 'jump-keys', argIncludes: 'alice' }, call: 1, mode: 'fail-before' },
      { match: { program: 'jump-keys', argIncludes: 'write' }, call: 2, mode: 'fail-after' },
      { match: { program: 'jump-keys', argIncludes: 'remove' }, mode: 'hang' },
    ],
    timeScale: 0,
  });
  await expect(host.jumpKeys.write('alice', 'x')).rejects.toMatchObject({
    code: 'program-failed',
    why: 'simulated fault',
  });
  expect(await host.jumpKeys.read('alice')).toBeUndefined();
  await expect(host.jumpKeys.write('alice', 'y')).rejects.toMatchObject({ code: 'program-failed' });
  expect(await host.jumpKeys.read('alice')).toBe('y');
  await expect(host.jumpKeys.remove('alice')).rejects.toMatchObject({ code: 'timeout' });
  expect(await host.jumpKeys.read('alice')).toBe('y');
});
