import { expect, it } from 'vitest';
import { homeAt, makeHome } from '../../../src/settings/home.ts';

it('makeHome rejects, and does not hang, on a file system that allows no new folders', async () => {
  await expect(makeHome(homeAt('/proc/nope/home'))).rejects.toMatchObject({
    code: 'settings',
    what: 'the home /proc/nope/home',
  });
});

it('makeHome rejects with a settings failure if the home cannot be made', async () => {
  await expect(makeHome(homeAt('/dev/null/home'))).rejects.toMatchObject({
    code: 'settings',
    what: 'the home /dev/null/home',
    why: expect.stringContaining('ENOTDIR'),
    next: expect.stringContaining('CONTAINARIUM_HOME'),
  });
});
