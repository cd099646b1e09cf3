/** Ways out of a container, and what it shows of others. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from '../../../src/prepare/programs.ts';
import { attack, served, service, type House } from './house.ts';

const program = fileURLToPath(new URL('../attacks/escape.pl', import.meta.url));

export function escapesCases(current: () => House): void {
  describe('out of her container', () => {
    it('Alice can do nothing that only root of the host may do', async () => {
      const house = current();
      // The same program as root of the host shows that the attempts work where no container is in the way.
      const { stdout } = await run('perl', [program]);
      const onHost = (JSON.parse(stdout) as { reached: string[] }).reached;
      expect(onHost).toEqual(
        expect.arrayContaining(['write /proc/sys/kernel/core_pattern', 'the log of the kernel', 'a program of BPF']),
      );
      expect(onHost.length).toBeGreaterThan(10);
      const { reached } = await attack(house, house.alice, 'escape');
      expect(reached).toEqual([]);
      expect(await service(house)).toEqual(served);
    });

    it('Alice finds no name and no address of Bob', async () => {
      const house = current();
      const { alice, bob } = house;
      // The program finds what is there: in a container of its own, its own name and address.
      const own = await attack(house, bob, 'names', [bob.user, bob.address, bob.mac]);
      expect(own.places).toEqual(expect.arrayContaining(['ip link', 'ip route show table all']));
      expect((await attack(house, alice, 'names', [bob.user, bob.address, bob.mac])).places).toEqual([]);
    });
  });
}
