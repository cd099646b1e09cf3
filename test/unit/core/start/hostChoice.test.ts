/** What makes an Incus usable, and which host the server chooses by it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseHost } from '../../../../src/core/start/hostChoice.ts';
import type { Incus } from '../../../../src/host/incus/incus.ts';
import { incusBy } from '../../../support/incus.ts';
import { incusTrouble } from '../../../../src/host/incus/trouble.ts';
import { temporaryFolder } from '../../../support/server.ts';

const usable = {
  '/1.0': { auth: 'trusted', environment: { server_version: '6.0.0' } },
  '/1.0/storage-pools?recursion=1': [{ name: 'default', driver: 'zfs' }],
  '/1.0/networks?recursion=1': [{ name: 'incusbr0', type: 'bridge', managed: true }],
};

/** Returns an Incus whose client answers queries with these documents. */
function incusThatAnswers(answers: Readonly<Record<string, unknown>>): Incus {
  return incusBy({
    run: ({ args }) => Promise.resolve({ stdout: JSON.stringify(answers[args.at(-1) ?? '']), stderr: '', exitCode: 0 }),
  });
}

const unusable: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['Incus does not trust this user', { '/1.0': { ...usable['/1.0'], auth: 'untrusted' } }],
  ['Incus has no storage pool', { '/1.0/storage-pools?recursion=1': [] }],
  ['Incus has no managed bridge', { '/1.0/networks?recursion=1': [] }],
  [
    'Incus has no managed bridge',
    {
      '/1.0/networks?recursion=1': [
        { name: 'br0', type: 'bridge', managed: false },
        { name: 'eth0', type: 'physical' },
      ],
    },
  ],
  ['"GET /1.0": the reply of Incus has an unexpected format: environment: is missing', { '/1.0': { auth: 'trusted' } }],
];

describe('Incus', () => {
  it('is usable with trust, a pool and a managed bridge, and the server then chooses the real host', async () => {
    const incus = incusThatAnswers(usable);
    expect(await incusTrouble(incus)).toBeUndefined();
    const statePath = join(await temporaryFolder(), 'host.json');
    expect(await chooseHost({ wanted: 'auto', isRoot: true, statePath, incus })).toMatchObject({ kind: 'incus' });
    expect(JSON.parse(await readFile(statePath, 'utf8'))).toMatchObject({ host: 'incus' });
  });

  it.each(unusable)('is not usable, and the server then simulates: %s', async (why, change) => {
    const incus = incusThatAnswers({ ...usable, ...change });
    expect(await incusTrouble(incus)).toBe(why);
    const statePath = join(await temporaryFolder(), 'host.json');
    expect(await chooseHost({ wanted: 'auto', isRoot: true, statePath, incus })).toEqual({
      kind: 'simulated',
      simulated: true,
      why,
    });
  });

  it('is not used by a server that root did not start', async () => {
    const statePath = join(await temporaryFolder(), 'host.json');
    const choice = await chooseHost({ wanted: 'auto', isRoot: false, statePath, incus: incusThatAnswers(usable) });
    expect(choice).toMatchObject({ kind: 'simulated', why: 'not started as root' });
  });
});
