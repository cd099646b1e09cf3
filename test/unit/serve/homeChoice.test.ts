/** Where the server keeps its state, and that a first choice there is not revised. */
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { chooseHome, type HomeOptions } from '../../../src/serve/homeChoice.ts';
import { homeAt, type DefaultHomes } from '../../../src/settings/home.ts';
import { temporaryFolder } from '../../support/server.ts';

let defaults: DefaultHomes;
beforeEach(async () => {
  const folder = await temporaryFolder();
  defaults = { system: homeAt(join(folder, 'system')), checkout: homeAt(join(folder, 'checkout')) };
});

const rootOf = async (options: Partial<HomeOptions>): Promise<string> => {
  const usual = { real: false, simulated: false, env: {}, uid: 0, isIncusUsable: () => Promise.resolve(true) };
  return (await chooseHome({ ...usual, defaults, ...options })).root;
};
/** Stores the choice of a first start in the checkout. */
async function chosenBy(uid: number): Promise<void> {
  const { checkout } = defaults;
  await mkdir(checkout.state, { recursive: true });
  await writeFile(checkout.hostChoice, '{"host":"simulated","why":"Incus has no storage pool"}');
  await chown(checkout.hostChoice, uid, uid);
}

describe('the home of the server', () => {
  it('is in the system for root with a usable Incus, and otherwise the checkout', async () => {
    expect(await rootOf({})).toBe(defaults.system.root);
    expect(await rootOf({ uid: 1000 })).toBe(defaults.checkout.root);
    expect(await rootOf({ simulated: true })).toBe(defaults.checkout.root);
  });

  it.skipIf(process.getuid?.() !== 0)('stays the checkout where root simulated, once Incus is usable', async () => {
    await chosenBy(0);
    expect(await rootOf({})).toBe(defaults.checkout.root);
    expect(await rootOf({ real: true })).toBe(defaults.system.root);
    expect(await rootOf({ env: { CONTAINARIUM_HOST: 'incus' } })).toBe(defaults.system.root);
  });

  it.skipIf(process.getuid?.() !== 0)('is not decided for root by the trial of another user', async () => {
    await chosenBy(1000);
    expect(await rootOf({})).toBe(defaults.system.root);
  });

  it.skipIf(process.getuid?.() !== 0)('is in the system once a server has run there', async () => {
    await chosenBy(0);
    await mkdir(defaults.system.state, { recursive: true });
    expect(await rootOf({})).toBe(defaults.system.root);
  });

  it('is the folder that CONTAINARIUM_HOME names', async () => {
    for (const simulated of [false, true])
      expect(await rootOf({ simulated, env: { CONTAINARIUM_HOME: '/srv/jump' } })).toBe('/srv/jump');
  });
});
