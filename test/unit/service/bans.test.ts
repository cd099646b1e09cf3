/** Who may ban what: carol is an admin who is logged in from 192.0.2.7, oscar is an operator at 198.51.100.9. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Actor } from '../../../src/domain/access/actor.ts';
import { parseNetwork } from '../../../src/domain/values/network.ts';
import { addBan } from '../../../src/service/bans.ts';
import { callBy, hosts } from '../../support/world/hosts.ts';
import { carol, type World } from '../../support/world/world.ts';

const oscar: Actor = { ...carol, name: 'oscar', role: 'operator', address: '198.51.100.9' };
const root: Actor = { name: 'root', role: 'root', entryPoint: 'local' };

const host = hosts(() => Promise.resolve());
let world: World;
beforeEach(async () => {
  world = await host();
  const login = { login: '1', since: '', shells: 0, containers: [], fingerprint: null, certificate: null } as const;
  vi.spyOn(world.context.logins, 'list').mockReturnValue([
    { ...login, name: 'carol', role: 'admin', entryPoint: 'manage', address: '::ffff:192.0.2.7' },
    { ...login, name: 'vic', role: 'viewer', entryPoint: 'manage', address: '203.0.113.1' },
  ]);
});

const ban = (network: string, actor: Actor, more: object = {}): ReturnType<typeof addBan> =>
  addBan(world.context, { network: parseNetwork(network), ...more }, callBy(actor));
const banned = (): string[] => world.context.bans.list().map(({ network }) => network);
const both = { yes: true, lockOut: true };

describe('ban add', () => {
  it.each(['0.0.0.0/0', '::/0', '10.0.0.0/15', '2001:db8::/31'])(
    'lets no operator ban %s, whatever is confirmed',
    async (network) => {
      await expect(ban(network, oscar, both)).rejects.toMatchObject({ code: 'denied' });
      expect(banned()).toEqual([]);
      await ban(network, root, both);
      expect(banned()).toHaveLength(1);
    },
  );

  it('lets an operator ban a narrower network', async () => {
    await ban('10.0.0.0/16', oscar);
    await ban('2001:db8::/32', oscar);
    expect(banned()).toEqual(['10.0.0.0/16', '2001:db8::/32']);
  });

  it.each(['10.0.0.0/7', '2000::/31'])('asks an admin about %s', async (network) => {
    await expect(ban(network, carol)).rejects.toMatchObject({ code: 'confirmation-required' });
    await ban(network, carol, { yes: true });
    expect(banned()).toHaveLength(1);
  });

  it.each([
    ['198.51.100.9', 'it contains your own address'],
    ['198.51.100.0/24', 'it contains your own address'],
    ['192.0.2.7', 'admins are logged in from it: carol'],
    ['192.0.2.0/24', 'admins are logged in from it: carol'],
  ])('wants a second yes for %s, which would lock out an admin', async (network, why) => {
    for (const more of [{}, { yes: true }, { lockOut: true }])
      await expect(ban(network, oscar, more)).rejects.toMatchObject({
        code: 'confirmation-required',
        why,
        next: expect.stringMatching(/^add --yes --lock-out /) as string,
      });
    await ban(network, oscar, both);
    expect(banned()).toEqual([network]);
  });

  it('wants none where a viewer is logged in from', async () => {
    await ban('203.0.113.1', oscar);
    expect(banned()).toEqual(['203.0.113.1']);
  });
});
