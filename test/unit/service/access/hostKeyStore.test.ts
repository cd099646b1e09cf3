import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { serverHostKeys } from '../../../../src/service/access/hostKeyFiles.ts';
import { HostKeyStore } from '../../../../src/service/access/hostKeyStore.ts';

let folder: string;
let current: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-host-key-service-'));
  ({ fingerprint: current } = (await serverHostKeys(folder)).current);
});
afterEach(() => rm(folder, { recursive: true }));

const service = (port = 2222, next?: string): HostKeyStore =>
  new HostKeyStore({ folder, running: { current, next }, port: () => port });

it.each([
  [2222, 'jump.example.org', '[jump.example.org]:2222', 'jump.example.org'],
  [22, 'jump.example.org', 'jump.example.org', 'jump.example.org'],
  [22, '192.0.2.7', '192.0.2.7', 'JUMP-HOST'],
  [2222, '2001:db8::7', '[2001:db8::7]:2222', 'JUMP-HOST'],
  [22, undefined, 'JUMP-HOST', 'JUMP-HOST'],
])(
  'the host key store on port %d of %s lists %s for known_hosts and %s for DNS',
  async (port, host, inKnownHosts, inDns) => {
    const { keys, named } = await service(port).list(host);
    expect(keys.map(({ knownHosts, sshfp }) => [knownHosts.split(' ')[0], sshfp.split(' ')[0]])).toEqual([
      [inKnownHosts, inDns],
    ]);
    expect(named).toBe(host !== undefined);
  },
);

it('the host key store generates one next key for simultaneous rotations, and names it', async () => {
  const keys = service();
  const answers = await Promise.allSettled(Array.from({ length: 8 }, () => keys.rotate(undefined)));
  const made = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.fingerprint] : []));
  expect((await keys.list(undefined)).keys.map(({ fingerprint }) => fingerprint)).toEqual([current, ...made]);
  for (const answer of answers)
    if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'exists' });
});

it('the host key store works after a change that failed', async () => {
  const keys = service();
  await expect(keys.switch(undefined, true)).rejects.toMatchObject({ code: 'wrong-state' });
  const { fingerprint } = await keys.rotate(undefined);
  await expect(keys.switch(undefined, false)).rejects.toMatchObject({ code: 'confirmation-required' });
  expect(await keys.switch(undefined, true)).toMatchObject({
    did: 'switched',
    fingerprint,
    keys: [{ which: 'present', fingerprint, inUse: false }],
  });
});
