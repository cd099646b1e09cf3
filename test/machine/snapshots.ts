/** Snapshots on ZFS, which returns by itself to the newest one only. */
import { describe, expect, it } from 'vitest';
import type { SnapshotList } from '../../src/domain/results/snapshots.ts';
import type { JumpHost } from './jumpHost.ts';

export function snapshots(host: JumpHost): void {
  describe('a snapshot on ZFS', () => {
    const write = (text: string) => host.did(`incus exec alice-container -- sh -c 'echo ${text} > /home/alice/notes'`);
    const notes = () => host.did('incus exec alice-container -- cat /home/alice/notes');
    const names = async (): Promise<string[]> =>
      ((await host.manage('snapshot list alice')) as SnapshotList).snapshots.map(({ name }) => name);

    it('that is not the newest gives its files back, and all snapshots stay', async () => {
      await write('old');
      await host.manage('snapshot create alice first');
      await write('middle');
      await host.manage('snapshot create alice second');
      await write('new');
      const { before, status } = await host.manage('snapshot restore alice first --yes');
      expect(status).toBe('running');
      expect((await notes()).trim()).toBe('old');
      expect(await names()).toEqual(expect.arrayContaining(['first', 'second', before]));
      await host.manage(`snapshot restore alice ${before} --yes`);
      expect((await notes()).trim()).toBe('new');
      expect((await host.manage('reconcile')).differences).toEqual([]);
      await host.isSound();
    });

    it('leaves the owner in, with the host key and the address that the client knows', async () => {
      const inside = await host.onLaptop('ssh -o BatchMode=yes alice-dev cat notes');
      expect(inside).toMatchObject({ code: 0, stdout: 'new\n' });
    });
  });
}
