import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fail2banStep } from '../../../src/install/machineStep.ts';

test('fail2ban is installed at the next run if the first installation failed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'containarium-fail2ban-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  let isInstalled = false;
  let isOnline = false;
  const step = fail2banStep(() => undefined, {
    folder: join(folder, 'fail2ban'),
    hasProgram: () => Promise.resolve(isInstalled),
    updateLists: () => Promise.resolve(),
    install: () => {
      if (!isOnline) return Promise.reject(new Error('no network'));
      isInstalled = true;
      return Promise.resolve();
    },
  });
  await expect(step.apply()).rejects.toThrow('no network');
  expect(await step.survey()).toEqual(['Install fail2ban']);
  isOnline = true;
  await step.apply();
  expect(await readFile(join(folder, 'fail2ban', 'jail.d', 'containarium-host.conf'), 'utf8')).toContain('[sshd]');
  expect(await step.survey()).toEqual([]);
});
