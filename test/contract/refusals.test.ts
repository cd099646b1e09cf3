import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { SimulatedHost } from '../../src/simulated/host.ts';
import { expectedRefusals, refusalsOf } from './refusals.ts';

it('the simulated host refuses what a real Incus refuses, as refusals.json records it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'containarium-refusals-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { runner } = SimulatedHost.open(join(folder, 'host.json'));
  const root = { type: 'disk', path: '/', pool: 'default' };
  const answers = await refusalsOf({ runner, image: 'images:debian/12', spec: { config: {}, devices: { root } } });
  expect(answers).toEqual(await expectedRefusals(answers, false));
});
