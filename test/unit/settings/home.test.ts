import { expect, it } from 'vitest';
import { homeAt, makeHome } from '../../../src/settings/home.ts';

it('comes back from a folder in which none can be made', async () => {
  await expect(makeHome(homeAt('/proc/nope/home'))).rejects.toMatchObject({
    code: 'settings',
    what: 'the home /proc/nope/home',
  });
});

it('says that a home cannot be made where it cannot, as a fault of the settings', async () => {
  await expect(makeHome(homeAt('/dev/null/home'))).rejects.toMatchObject({
    code: 'settings',
    what: 'the home /dev/null/home',
    why: expect.stringContaining('ENOTDIR'),
    next: expect.stringContaining('CONTAINARIUM_HOME'),
  });
});
