/** Attacks on the bridge: a neighbour's frames, his address, his router. */
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { run } from '../../../src/prepare/programs.ts';
import { withoutGuard, type Guard } from './guards.ts';
import {
  attack,
  forget,
  initOf,
  learnedOn,
  portOf,
  reachesSsh,
  served,
  service,
  startAttack,
  type House,
} from './house.ts';

/** Sends frames with Bob's address as their source for a second, and returns the ports on which the bridge saw it. */
async function steal(house: House, kind: string): Promise<string[]> {
  const { bob } = house;
  // Bob's sshd answers, so the bridge knows where he is.
  await reachesSsh(bob);
  const attacking = startAttack(house, house.alice, 'steal-frames', [kind, bob.mac, house.bridgeMac, 1, 20]);
  const seen = new Set<string>();
  let ended = false;
  void attacking.ended.then(() => (ended = true));
  while (!ended) {
    for (const port of await learnedOn(house, bob.mac)) seen.add(port);
    await setTimeout(30);
  }
  expect((await attacking.report()).sent).toBeGreaterThan(10);
  const stolen = await portOf(house, house.alice);
  if (seen.has(stolen)) await forget(bob.mac, stolen);
  await reachesSsh(bob);
  return [...seen];
}

/** Counts the connections to Bob's sshd that succeed while Alice sends five frames a second. */
async function reachedMeanwhile(house: House): Promise<{ reached: number; seconds: number }> {
  const attacking = startAttack(house, house.alice, 'steal-frames', ['ip', house.bob.mac, house.bridgeMac, 9, 5]);
  await attacking.started();
  const tries = await Promise.all(
    Array.from({ length: 4 }, async (_, n) => {
      await setTimeout(n * 1100);
      return reachesSsh(house.bob);
    }),
  );
  await attacking.ended;
  await forget(house.bob.mac, await portOf(house, house.alice));
  return { reached: tries.filter(Boolean).length, seconds: tries.length };
}

async function lladdr(house: House, address: string): Promise<string | undefined> {
  const { stdout } = await run('ip', ['-json', 'neighbour', 'show', address, 'dev', house.host.incus.bridge]);
  return (JSON.parse(stdout) as { lladdr?: string }[])[0]?.lladdr;
}

/** Runs the host's ip(8) in Bob's network. */
async function ipOfBob(house: House, ...args: string[]): Promise<string> {
  const pid = await initOf(house, house.bob);
  return (await run('nsenter', ['--target', `${pid}`, '--net', 'ip', ...args], { allowExit: 'any' })).stdout;
}

export function framesCases(current: () => House): void {
  describe('on the bridge', () => {
    it('Alice cannot take the connections to Bob by frames in his name', async () => {
      const house = current();
      const { reached, seconds } = await withoutGuard(house, ['frames'], () => reachedMeanwhile(house));
      expect(reached).toBeLessThan(seconds);
      await reachesSsh(house.bob);
      const attacking = startAttack(house, house.alice, 'steal-frames', ['ip', house.bob.mac, house.bridgeMac, 5, 5]);
      await attacking.started();
      expect(await service(house)).toEqual(served);
      expect(await reachesSsh(house.bob)).toBe(true);
      await attacking.ended;
    });

    it.each(['ip', 'arp', 'broadcast', 'vlan', 'double-vlan', 'llc', 'link-local'])(
      'the bridge learns nothing of Bob from frames of Alice (%s)',
      async (kind) => {
        const house = current();
        const port = await portOf(house, house.alice);
        expect(await withoutGuard(house, ['frames'], () => steal(house, kind))).toContain(port);
        expect(await steal(house, kind)).not.toContain(port);
      },
    );

    const claims: readonly (readonly [string, readonly Guard[], (house: House) => Promise<boolean>])[] = [
      [
        'the host does not believe that Bob is where Alice is',
        ['addresses', 'frames'],
        async (house) => {
          await reachesSsh(house.bob);
          const { gateway } = house.host.incus;
          await attack(house, house.alice, 'spoof', ['arp', house.bob.address, house.bridgeMac, gateway]);
          const claimed = (await lladdr(house, house.bob.address)) === house.alice.mac;
          await run('ip', ['neighbour', 'flush', 'to', house.bob.address, 'dev', house.host.incus.bridge]);
          return claimed;
        },
      ],
      [
        'Bob does not believe that the gateway is where Alice is',
        ['addresses', 'frames', 'ports'],
        async (house) => {
          const { gateway } = house.host.incus;
          // An entry that Bob has is changed by an answer; none is made by it.
          await attack(house, house.bob, 'dns', [gateway, 'A:example.com']);
          await attack(house, house.alice, 'spoof', ['arp', gateway, house.bob.mac, house.bob.address]);
          const known = await ipOfBob(house, 'neighbour', 'show', gateway);
          await ipOfBob(house, 'neighbour', 'flush', 'to', gateway);
          return known.includes(house.alice.mac);
        },
      ],
    ];
    it.each(claims)('%s', async (_title, guards, succeeds) => {
      const house = current();
      expect(await withoutGuard(house, guards, () => succeeds(house))).toBe(true);
      expect(await succeeds(house)).toBe(false);
    });

    it('neither Bob nor the host takes a route of IPv6 from Alice', async () => {
      const house = current();
      // Also without the guards: the address that is written into a container turns router advertisements off.
      await withoutGuard(house, ['addresses', 'frames', 'ports'], () =>
        attack(house, house.alice, 'spoof', ['router']),
      );
      expect(await ipOfBob(house, '-6', 'route', 'show', 'default')).toBe('');
      const { stdout } = await run('ip', ['-6', 'route', 'show', 'dev', house.host.incus.bridge, 'proto', 'ra']);
      expect(stdout).toBe('');
    });
  });
}
