/** Everything that `reconcile` finds, made by hand on a real Incus: shown without a change, then repaired. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { temporaryFolder, type Finished } from '../support/server.ts';
import { skipReason, startJumpHost, type JumpHost } from './jumpHost.ts';

interface Difference {
  readonly kind: string;
  readonly target: string;
  readonly fix: string | null;
}

describe.skipIf(skipReason !== undefined)('reconcile on a real Incus', () => {
  let host: JumpHost;
  let group: string;
  const alice = 'cxt-ada';
  const name = `${alice}-container`;

  const manage = (words: readonly string[], stdin?: string): Promise<Finished> =>
    host.server.ssh(words, { shared: true, ...(stdin === undefined ? {} : { stdin }) });
  const must = async (words: readonly string[], stdin?: string): Promise<void> => {
    const { code, stderr } = await manage(words, stdin);
    expect(code, `${words.join(' ')}: ${stderr}`).toBe(0);
  };
  const reconcile = async (...options: string[]): Promise<Difference[]> => {
    const { stdout } = await manage(['reconcile', ...options, '--json']);
    return (JSON.parse(stdout) as { result: { differences: Difference[] } }).result.differences;
  };
  const incus = (...args: string[]): Promise<string> => host.incus.incus(args);
  const keysFile = (user: string): string => join(host.keysFolder, user);

  beforeAll(async () => {
    host = await startJumpHost({ name: 'drift', packages: [] });
    const folder = await temporaryFolder();
    await must(['create', alice], (await makeKey(folder, alice)).line);
    const passwd = (await execa('getent', ['passwd', alice])).stdout;
    group = passwd.split(':')[3] ?? '';
  });
  afterAll(async () => {
    await host.stop();
    expect(await host.incus.remains()).toEqual([]);
  });

  const breaks: readonly (readonly [kind: string, target: string, act: () => Promise<unknown>])[] = [
    ['account-missing', alice, () => execa('userdel', [alice])],
    ['account-wrong', alice, () => execa('usermod', ['--shell', '/bin/sh', alice])],
    [
      'account-orphan',
      'cxt-zoe',
      () =>
        execa('useradd', [
          '--no-create-home',
          '--gid',
          group,
          '--comment',
          'containarium jump account of cxt-zoe - reconcile',
          'cxt-zoe',
        ]),
    ],
    ['jump-keys-missing', alice, () => rm(keysFile(alice))],
    [
      'jump-keys-differ',
      alice,
      async () => {
        const text = await readFile(keysFile(alice), 'utf8');
        expect(text).toContain('permitopen=');
        await writeFile(keysFile(alice), text.replaceAll(/,permitopen="[^"]*"/g, ''));
      },
    ],
    ['jump-keys-orphan', 'cxt-zoe', () => writeFile(keysFile('cxt-zoe'), 'left over\n')],
    ['container-keys-differ', alice, () => incus('file', 'delete', `${name}/etc/ssh/authorized_keys.d/${alice}`)],
    ['container-address', alice, () => incus('config', 'unset', name, 'user.containarium.address')],
    [
      'container-address',
      alice,
      async () => {
        const own = (await incus('config', 'device', 'get', name, 'eth0', 'ipv4.address')).trim();
        await incus('config', 'device', 'set', name, 'eth0', `ipv4.address=${own.replace(/\d+$/, '250')}`);
      },
    ],
    ['container-stopped', alice, () => incus('stop', name, '--force')],
    ['snapshot-schedule', alice, () => incus('config', 'unset', name, 'snapshots.schedule')],
    ['isolation-missing', alice, () => incus('config', 'unset', name, 'limits.processes')],
    [
      'generation-empty',
      alice,
      async () => {
        const earlier = `${name}-20200101-000000-test`;
        await incus('copy', name, earlier, '--instance-only');
        await incus('config', 'set', earlier, 'user.containarium.owner=', `user.containarium.replaced=${alice}`);
      },
    ],
    [
      'trash-overdue',
      'cxt-gone',
      async () => {
        const record = {
          user: 'cxt-gone',
          at: '2020-01-01T00:00:00Z',
          by: 'carol',
          until: '2020-01-08T00:00:00Z',
          ran: false,
          before: { config: {}, devices: {} },
        };
        const trashed = 'cxt-gone-container-20200101-000000-test';
        await incus('copy', name, trashed, '--instance-only');
        await incus(
          'config',
          'set',
          trashed,
          'user.containarium.owner=',
          `user.containarium.trashed=${JSON.stringify(record)}`,
        );
      },
    ],
  ];

  it.each(breaks)('shows %s of %s without changing anything, and --apply repairs it', async (kind, target, act) => {
    expect(await reconcile()).toEqual([]);
    await act();
    const shown = await reconcile('--dry-run');
    expect(shown).toEqual([expect.objectContaining({ kind, target, fix: expect.any(String) as string, fixed: false })]);
    expect(await reconcile()).toEqual(shown);
    expect(await reconcile('--apply')).toEqual([{ ...shown[0], fixed: true }]);
    expect(await reconcile()).toEqual([]);
  });

  it.each([
    [
      'generation-orphan',
      'cxt-lost',
      'cxt-lost-container-20200101-000000-test',
      ['user.containarium.replaced=cxt-lost'],
    ],
    [
      'trash-orphan',
      'cxt-lost',
      'cxt-lost-container-20200101-000000-test',
      ['user.containarium.replaced=cxt-lost', 'user.containarium.trashed=cxt-lost-container-20200101-000000-head'],
    ],
    ['container-unfinished', alice, name, ['user.containarium.state=creating']],
  ])('shows %s of %s, which only a person can decide, and leaves it', async (kind, target, instance, config) => {
    if (instance !== name) {
      await incus('copy', name, instance, '--instance-only');
      await incus('config', 'set', instance, 'user.containarium.owner=');
    }
    await incus('config', 'set', instance, ...config);
    try {
      const shown = await reconcile();
      expect(shown).toEqual([expect.objectContaining({ kind, target, fix: null })]);
      expect(await reconcile('--apply')).toEqual(shown);
      expect(await incus('list', '--format', 'csv', '--columns', 'n')).toContain(instance);
    } finally {
      if (instance === name) await incus('config', 'set', name, 'user.containarium.state=ready');
      else await incus('delete', instance);
    }
  });
});
