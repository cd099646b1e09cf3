/** A simulated host that is the copy of a real one: what the real one has accepted, it accepts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshState, type HostState } from '../../../src/simulated/state/state.ts';
import { base, devices, fixture, spec, temporaryFolder, type Fixture } from './support.ts';

const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJtFlAdGmcCvSnd4xq0hkxgJQGDmwSfrQfLYaU3nuCAC';
const publicFile = { content: `${hostKey}\n`, mode: '0644', uid: 0, gid: 0 };

/** Opens a host with the stopped instance `odd`, which has options and devices that no simulated host knows. */
function host(isCopy: boolean): Fixture {
  const folder = temporaryFolder();
  const state: HostState = {
    ...freshState(Date.now()),
    ...(isCopy ? { isCopy, apiExtensions: ['instances'] } : {}),
    instances: {
      odd: {
        name: 'odd',
        createdAtMs: 1,
        lastUsedAtMs: null,
        config: { 'raw.lxc': 'lxc.mount.entry = /srv srv none bind', 'limits.memory': '4GiB' },
        devices: { ...devices('10.0.3.150'), gpu0: { type: 'gpu' }, odd0: { type: 'future' } },
        files: { '/etc/ssh/ssh_host_ed25519_key.pub': publicFile },
        prepared: true,
        ranMs: 0,
        run: null,
        snapshots: [],
        backups: [],
      },
    },
  };
  writeFileSync(join(folder, 'host.json'), JSON.stringify(state));
  return fixture({}, folder);
}

const patch = (change: object): string[] => [
  'query',
  '--request',
  'PATCH',
  '--data',
  JSON.stringify(change),
  '/1.0/instances/odd',
];

const outcome = (accepted: boolean): RegExp => (accepted ? /^0 $/ : /^1 Error: /);

describe('a simulated host', () => {
  const hosts: readonly (readonly [which: string, does: string, isCopy: boolean])[] = [
    ['that is a copy', 'accepts', true],
    ['that is none', 'refuses', false],
  ];

  it.each(hosts)('%s %s a change of an instance with unknown options and devices', async (_, _does, isCopy) => {
    const { say } = host(isCopy);
    expect(await say('incus', patch({ config: { 'limits.cpu': '2' } }))).toMatch(outcome(isCopy));
  });

  it.each(hosts)('%s %s limits below what it believes to be in use', async (_, _does, isCopy) => {
    const { say } = host(isCopy);
    const known = { config: { 'raw.lxc': '' }, devices: { odd0: { type: 'none' } } };
    const root = { ...devices()['root'], size: '1MiB' };
    expect(await say('incus', patch({ ...known, devices: { ...known.devices, root } }))).toMatch(outcome(isCopy));
    await say('incus', ['start', 'odd']);
    const memory = { ...known, config: { ...known.config, 'limits.memory': '1MiB' } };
    expect(await say('incus', patch(memory))).toMatch(outcome(isCopy));
  });

  it.each(hosts)('%s %s images of servers that it does not know', async (_, _does, isCopy) => {
    const { say } = host(isCopy);
    expect(await say('incus', ['create', 'images:fedora/40', 'one'], spec())).toMatch(outcome(isCopy));
    expect(await say('incus', ['create', 'office:base', 'two'], spec())).toMatch(outcome(isCopy));
    expect(await say('incus', ['create', 'no-such-alias', 'three'], spec())).toMatch(outcome(false));
    expect(await say('incus', ['create', base, 'four'], spec())).toMatch(outcome(true));
  });

  it('that is a copy serves a host key of which only the public half is known, and no other does', async () => {
    for (const isCopy of [true, false]) {
      const { incus, keyscan } = host(isCopy);
      await incus.start('odd');
      expect(await keyscan.hostKey('10.0.3.150')).toBe(isCopy ? hostKey : undefined);
    }
  });

  it('that is a copy has the extensions of the real server', async () => {
    expect(await host(true).incus.hasAutorestart()).toBe(false);
    expect(await host(false).incus.hasAutorestart()).toBe(true);
  });
});
