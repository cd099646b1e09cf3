/** For how many containers a host has room, on a simulated host with the container of alice. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseIdRanges } from '../../../../src/host/subordinateIds.ts';
import { checkRoom, type RoomSources } from '../../../../src/service/checks/roomChecks.ts';
import { createContainer } from '../../../../src/service/create.ts';
import type { HostContext } from '../../../../src/service/instances/context.ts';
import { alice, callBy, hosts } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey('alice')] }, callBy());
});
const { signal } = new AbortController();
const ids = (text: string): RoomSources['ids'] => {
  const ranges = parseIdRanges(text);
  return () => Promise.resolve({ uids: ranges, gids: ranges });
};
const ample = ids('root:1000000:1000000000\n');
const real = (context: HostContext): HostContext => ({ ...context, host: { ...context.host, simulated: false } });

let proc: string;
beforeEach(async () => {
  proc = await mkdtemp(join(tmpdir(), 'containarium-room-'));
  const files = {
    'sys/kernel/pid_max': '4194304\n',
    'sys/kernel/pty/max': '65536\n',
    'sys/net/ipv4/neigh/default/gc_thresh3': '8192\n',
    meminfo: 'MemTotal:       67108864 kB\nMemFree:        1000 kB\nMemAvailable:   62914560 kB\n',
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
});
afterEach(() => rm(proc, { recursive: true }));

async function write(name: string, text: string): Promise<void> {
  const path = join(proc, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

describe('doctor --for', () => {
  it('says that a number fits, and what would bind first', async () => {
    const { context } = await host();
    const [all, first, ...others] = await checkRoom(real(context), 10, signal, { ids: ample, proc });
    expect(all).toMatchObject({ name: 'room', severity: 'ok', next: null });
    expect(all?.detail).toBe(
      `10 containers fit; ${first?.name} would bind first, at ${Number.parseInt(first?.detail ?? '', 10)}`,
    );
    const numbers = [first, ...others].map((check) => Number.parseInt(check?.detail ?? '', 10));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect([first, ...others].map((check) => check?.name).toSorted()).toEqual(
      [
        'addresses',
        'bridge ports',
        'disk',
        'memory',
        'neighbours',
        'processes',
        'subordinate ids',
        'terminals',
      ].toSorted(),
    );
  });

  it.each<[what: string, change: () => Promise<RoomSources>, next: RegExp]>([
    ['subordinate ids', () => Promise.resolve({ ids: ids('root:100000:6684673\n'), proc }), /subordinate ids/],
    ['subordinate ids', () => Promise.resolve({ ids: ids(''), proc }), /subordinate ids/],
    ['processes', () => write('sys/kernel/pid_max', '32768\n').then(() => ({ ids: ample, proc })), /raises it/],
    ['terminals', () => write('sys/kernel/pty/max', '4096\n').then(() => ({ ids: ample, proc })), /raises it/],
    [
      'neighbours',
      () => write('sys/net/ipv4/neigh/default/gc_thresh3', '128\n').then(() => ({ ids: ample, proc })),
      /raises it/,
    ],
    [
      'memory',
      () => write('meminfo', 'MemTotal: 1048576 kB\nMemAvailable: 262144 kB\n').then(() => ({ ids: ample, proc })),
      /larger machine/,
    ],
  ])('says that %s do not suffice, and what helps', async (what, change, next) => {
    const { context } = await host();
    const checks = await checkRoom(real(context), 250, signal, await change());
    expect(checks[0]?.severity).toBe('problem');
    const found = checks.find(({ name }) => name === what);
    expect(found).toMatchObject({ severity: 'problem', next: expect.stringMatching(next) });
  });

  it('has bounds of Linux itself: more than a bridge has ports never fit on one host', async () => {
    const { context } = await host();
    const checks = await checkRoom(real(context), 1024, signal, { ids: ample, proc });
    expect(checks.find(({ name }) => name === 'bridge ports')).toMatchObject({ severity: 'problem' });
  });

  it.each([
    ['a file that is gone', () => rm(join(proc, 'meminfo'))],
    ['a file without a number', () => write('meminfo', 'MemTotal: lots\n')],
  ])('takes %s for no room', async (_, change) => {
    const { context } = await host();
    await change();
    const checks = await checkRoom(real(context), 10, signal, { ids: ample, proc });
    expect(checks[0]).toMatchObject({
      severity: 'problem',
      detail: 'whether 10 containers fit is not known, for lack of memory',
    });
    expect(checks[1]).toMatchObject({ name: 'memory', severity: 'problem' });
    expect(checks.slice(2).every(({ severity }) => severity === 'ok')).toBe(true);
  });

  it('leaves out what a simulated host does not have', async () => {
    const { context } = await host();
    const checks = await checkRoom(context, 10, signal);
    expect(checks.map(({ name }) => name).toSorted()).toEqual(['addresses', 'bridge ports', 'disk', 'room']);
  });
});
