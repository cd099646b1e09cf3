/** A quota of ZFS counts everything, and root of a container cannot get around it. */
import { describe, expect, it } from 'vitest';
import type { JumpHost } from './jumpHost.ts';

const gibibyte = 1024 ** 3;
const dataset = 'default/containers/alice-container';

export function quotas(host: JumpHost): void {
  describe('a quota of ZFS', () => {
    const property = async (name: string): Promise<number> =>
      Number(await host.did(`zfs get -Hpo value ${name} ${dataset}`));
    const fill = (mebibytes: number) =>
      host.machine.run(
        `incus exec alice-container -- dd if=/dev/urandom of=/root/fill bs=1M count=${mebibytes} conv=fsync`,
      );

    it('limits a container that fills its disk', async () => {
      expect(await property('quota')).toBe(gibibyte);
      expect((await fill(100)).code).toBe(0);
      // ZFS counts data once it is written out, every few seconds.
      await host.did('zpool sync default');
      const { container } = await host.manage('info alice');
      const used = await property('used');
      expect(Math.abs(container.diskUsedBytes - used)).toBeLessThan(16 * 1024 ** 2);
      expect(used).toBeGreaterThan(100 * 1024 ** 2);

      const full = await fill(1100);
      expect(full.code).not.toBe(0);
      expect(full.stderr).toMatch(/Disk quota exceeded|No space left/);
      // ZFS enforces a quota with a delay (zfsprops(7)), so writes in progress still succeed.
      expect(await property('used')).toBeLessThan(gibibyte + 16 * 1024 ** 2);
    });

    it('is raised by resize', async () => {
      await host.manage('resize alice --disk-quota 2GiB --memory 1536MiB --cpu 2');
      expect(await property('quota')).toBe(2 * gibibyte);
      expect((await fill(1100)).code).toBe(0);
      await host.did('incus exec alice-container -- rm /root/fill');
    });
  });
}
