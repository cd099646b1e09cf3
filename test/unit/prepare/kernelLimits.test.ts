import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lowLimits } from '../../../src/host/kernelLimits.ts';
import { renderLimits } from '../../../src/prepare/kernelLimits.ts';
import { checkSettings } from '../../../src/settings/settings.ts';

const { sysctl } = checkSettings({ sysctl: { 'fs.inotify.max_user_watches': 1000 } }, 'of the test');

it('lowLimits returns only limits that exist and are too low, by the settings', async () => {
  const root = await mkdtemp(join(tmpdir(), 'sys-'));
  try {
    await mkdir(join(root, 'fs/inotify'), { recursive: true });
    await writeFile(join(root, 'fs/inotify/max_user_instances'), '128\n');
    await writeFile(join(root, 'fs/inotify/max_user_watches'), '1000\n');
    await writeFile(join(root, 'fs/file-max'), '9223372036854775807\n');
    expect(await lowLimits(sysctl, root)).toEqual([
      { name: 'fs.inotify.max_user_instances', value: 128, wanted: 2_147_483_647 },
    ]);
  } finally {
    await rm(root, { recursive: true });
  }
});

it('renderLimits lists limits that are low or as they should be, and none that is higher', () => {
  const state = (name: string, value: number) => ({ name, value, wanted: 100 });
  expect(renderLimits([state('a.low', 10), state('a.same', 100), state('a.higher', 101)])).toBe(
    '# Written by containarium: limits that all containers share.\n-a.low = 100\n-a.same = 100\n',
  );
});
