import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, onTestFinished } from 'vitest';
import { incusBy } from '../support/incus.ts';
import { SimulatedHost } from '../../src/simulated/host.ts';
import { checkStreams } from './streams.ts';

it('the simulated host has the terminals, events and console logs of a real host', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'containarium-streams-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const host = SimulatedHost.open(join(folder, 'host.json'));
  const root = { type: 'disk', path: '/', pool: 'default' };
  await checkStreams({
    incus: incusBy(host.runner),
    streams: host.streams,
    image: 'images:debian/12',
    spec: { config: {}, devices: { root } },
  });
});
