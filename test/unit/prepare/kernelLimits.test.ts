import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { kernelLimits, lowLimits } from '../../../src/host/kernelLimits.ts';
import { renderLimits } from '../../../src/prepare/kernelLimits.ts';

it('lowLimits returns only limits that exist and are too low', async () => {
  const root = await mkdtemp(join(tmpdir(), 'sys-'));
  try {
    await mkdir(join(root, 'fs/inotify'), { recursive: true });
    await writeFile(join(root, 'fs/inotify/max_user_instances'), '128\n');
    await writeFile(join(root, 'fs/inotify/max_user_watches'), '9999999\n');
    expect(await lowLimits(root)).toEqual(['fs.inotify.max_user_instances']);
  } finally {
    await rm(root, { recursive: true });
  }
});

it('renderLimits lists every limit with its value', () => {
  for (const [name, value] of Object.entries(kernelLimits)) expect(renderLimits()).toContain(`\n-${name} = ${value}\n`);
});
