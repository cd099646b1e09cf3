/** Attacks on DHCP and DNS of the bridge. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { succeeds } from '../../../src/prepare/programs.ts';
import { makeKey } from '../../support/keys.ts';
import { waitUntil } from '../harness/index.ts';
import { withoutGuard } from './guards.ts';
import { attack, type House, type Tenant } from './house.ts';

function leasesPath({ host }: House): string {
  return join(host.incus.incusDir, 'networks', host.incus.bridge, 'dnsmasq.leases');
}

async function leases(house: House): Promise<string[]> {
  return (await readFile(leasesPath(house), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
}

/** Empties the file that dnsmasq reads at its next start. */
async function forgetLeases(house: House): Promise<void> {
  await writeFile(leasesPath(house), '');
}

/** Has a tenant ask for an address, as the containers of earlier versions do: DNS knows the names in leases. */
async function askForLease({ host }: House, { instance }: Tenant): Promise<void> {
  const words = ['exec', instance, '--', 'dhclient', '-1', 'eth0'];
  await succeeds('incus', words, { env: host.incus.env, timeoutMs: 20_000 });
}

export function leasesCases(current: () => House): void {
  describe('of the addresses on the bridge', () => {
    it('Alice gets none for invented clients', async () => {
      const house = current();
      const take = async (): Promise<number> => {
        const taken = await attack(house, house.alice, 'dhcp', ['take', 12, house.bridgeMac, house.host.incus.gateway]);
        return taken.leases.length as number;
      };
      expect(await withoutGuard(house, ['network', 'doors', 'frames'], take)).toBeGreaterThan(6);
      expect(await take()).toBe(0);
    });

    it('Alice cannot give up that of Bob', async () => {
      const house = current();
      const { host, bob } = house;
      const ofBob = async (): Promise<string | undefined> =>
        (await leases(house)).find((line) => line.includes(bob.mac));
      /** Reports whether Bob had a lease and has none after a forged release. */
      const released = async (): Promise<boolean> => {
        const before = await ofBob();
        if (before === undefined) return false;
        const id = before.split(' ')[4];
        await attack(house, house.alice, 'dhcp', [
          ...['release', bob.mac, bob.address, house.bridgeMac, host.incus.gateway],
          ...(id === undefined || id === '*' ? [] : [id]),
        ]);
        return waitUntil(async () => (await ofBob()) === undefined, 2000);
      };
      const without = await withoutGuard(house, ['network', 'doors', 'frames'], async () => {
        await askForLease(house, bob);
        return released();
      });
      expect(without).toBe(true);
      await askForLease(house, bob);
      expect(await released()).toBe(false);
    });

    it('Alice learns no name of another container from DNS', async () => {
      const house = current();
      const { host, bob } = house;
      const [a, b, c, d] = bob.address.split('.');
      const questions = [
        `A:${bob.instance}.incus`,
        `A:${bob.instance}`,
        `PTR:${d}.${c}.${b}.${a}.in-addr.arpa`,
        `A:${bob.user}.incus`,
      ];
      const learn = async (): Promise<string[]> =>
        (await attack(house, house.alice, 'dns', [host.incus.gateway, ...questions])).answers as string[];
      const learned = await withoutGuard(house, ['network', 'doors', 'frames'], async () => {
        await askForLease(house, bob);
        const names = await learn();
        // dnsmasq keeps the names of its leases over a restart.
        await forgetLeases(house);
        return names;
      });
      expect(learned.join(' ')).toMatch(new RegExp(`${bob.instance}|${bob.address}`));
      expect(await learn()).toEqual([]);
    });

    it('a container is still created while Alice asks for leases', async () => {
      const house = current();
      const { host } = house;
      const key = await makeKey(house.folder, 'carol');
      const [created] = await Promise.all([
        host.server.ssh(['create', 'cxt-trudy', '--json'], { shared: true, stdin: key.line }),
        attack(house, house.alice, 'dhcp', ['take', 12, house.bridgeMac, host.incus.gateway]),
      ]);
      expect(created.code, created.stdout).toBe(0);
      expect((await host.server.ssh(['delete', 'cxt-trudy', '--yes'], { shared: true })).code).toBe(0);
    });
  });
}
