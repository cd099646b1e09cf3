import { expect, it } from 'vitest';
import { homeAt, makeHome } from '../../../src/settings/home.ts';

it('says that a home cannot be made where it cannot, as a fault of the settings', async () => {
  await expect(makeHome(homeAt('/dev/null/home'))).rejects.toMatchObject({
    code: 'settings',
    what: 'the home /dev/null/home',
    why: expect.stringContaining('ENOTDIR'),
    next: expect.stringContaining('CONTAINARIUM_HOME'),
  });
});
