/** Backups on ZFS, which are sent by `zfs send` from units that may do what core may not. */
import { describe, expect, it } from 'vitest';
import type { Backup, BackupList } from '../../src/domain/results/backups.ts';
import type { JumpHost } from './jumpHost.ts';

const dataset = 'default/containers/alice-container';
const folder = '/var/backups/containarium';

export function backups(host: JumpHost): void {
  describe('a backup on ZFS', () => {
    const made: Backup[] = [];
    const write = (text: string) =>
      host.did(`incus exec alice-container -- sh -c 'echo ${text} > /home/alice/notes && sync'`);
    const notes = () => host.did('incus exec alice-container -- cat /home/alice/notes');
    const create = async (): Promise<Backup> => {
      const { backup } = (await host.manage('backup create alice')) as { backup: Backup };
      made.push(backup);
      return backup;
    };
    const listed = async (): Promise<string[]> =>
      ((await host.manage('backup list alice')) as BackupList).backups.map(({ id }) => id);
    const lines = async (command: string): Promise<string[]> =>
      (await host.did(command)).split('\n').filter((line) => line !== '');
    const bookmarks = () => lines(`zfs list -H -o name -t bookmark -d 1 ${dataset}`);
    const snapshots = () => lines(`zfs list -H -o name -t snapshot -r ${dataset}`);
    const instances = () => lines('incus list --format csv --columns n');

    it('sends the whole container first, and then only what changed', async () => {
      const settings = '/var/lib/containarium/containarium.yaml';
      await host.did(`mkdir -m 700 ${folder}`);
      await host.did(`echo 'backups: {directory: ${folder}, every: never}' >> ${settings}`);
      await host.did('systemctl restart containarium');
      await host.letsIn();
      const before = await snapshots();
      await write('first');
      const full = await create();
      expect(full).toMatchObject({ format: 'zfs', base: null });
      expect(full.files).toBeGreaterThan(1000);
      await write('second');
      const increment = await create();
      expect(increment).toMatchObject({ format: 'zfs', base: full.id });
      expect(increment.storedBytes).toBeLessThan(full.storedBytes / 10);
      expect(await bookmarks()).toEqual(made.map(({ id }) => `${dataset}#containarium-${id}`));
      expect(await snapshots()).toEqual(before);
      await host.isSound();
    });

    it('is verified by a boot of both streams, and no trace is left', async () => {
      const before = await instances();
      const verified = (await host.manage('backup verify alice latest')) as { id: string; compared: number };
      expect(verified.id).toBe(made[1]?.id);
      expect(verified.compared).toBeGreaterThan(500);
      expect(await instances()).toEqual(before);
      expect(await host.did('zfs list -H -o name -r default/containers')).not.toContain('containarium-verify');
    });

    it('cannot be deleted while another builds on it', async () => {
      const { code, stderr, stdout } = await host.ssh(`backup delete alice ${made[0]?.id ?? ''} --yes`);
      expect(code).toBe(5);
      expect(stderr + stdout).toContain(`${made[1]?.id ?? ''} builds on it`);
      expect(await listed()).toHaveLength(2);
    });

    it('that is cut leaves nothing, and the next builds on the last whole one', async () => {
      await host.did(
        'incus exec alice-container -- dd if=/dev/urandom of=/home/alice/large bs=1M count=200 conv=fsync status=none',
      );
      const units = 'systemctl list-units --plain --no-legend "containarium-zfs-*-send.service"';
      const cut = host.ssh('backup create alice');
      // Kill core while ZFS sends, as a power cut would.
      await host.did(`until ${units} | grep -q running; do sleep 0.2; done; systemctl kill --signal KILL containarium`);
      expect((await cut).code).not.toBe(0);
      await host.letsIn();
      await host.did(`until test -z "$(${units})"; do sleep 1; done`);
      const none = async (): Promise<boolean> =>
        (await bookmarks()).length === 2 &&
        !(await snapshots()).some((name) => name.includes('@snapshot-containarium-'));
      await expect.poll(none, { timeout: 10 * 60_000, interval: 2000 }).toBe(true);
      expect(await listed()).toHaveLength(2);
      expect((await lines(`find ${folder} -name data`)).length).toBe(2);
      await host.did('incus exec alice-container -- rm /home/alice/large');
      expect((await create()).base).toBe(made[1]?.id);
      await host.isSound();
    });

    it('gives the files of an increment back, with the address and the key that the owner knows', async () => {
      await write('third');
      await host.manage(`backup restore alice ${made[1]?.id ?? ''} --yes`);
      expect((await notes()).trim()).toBe('second');
      const inside = async (): Promise<string> =>
        (await host.onLaptop('ssh -o BatchMode=yes alice-dev cat notes')).stdout.trim();
      await expect.poll(inside, { timeout: 10 * 60_000, interval: 2000 }).toBe('second');
      // Files belong to whom they belonged, whatever user ids the new container has.
      expect(await host.did('incus exec alice-container -- stat --format %U:%G /home/alice/notes /etc/passwd')).toBe(
        'root:root\nroot:root\n',
      );
      await host.isSound();
    });

    it('does not keep Incus from snapshots, restores and a deletion', async () => {
      const full = await create();
      expect(full.base).toBeNull();
      await write('before the snapshot');
      await host.manage('snapshot create alice marked');
      await host.manage('resize alice --disk-quota 3GiB');
      await host.manage('snapshot restore alice marked --yes');
      expect((await notes()).trim()).toBe('before the snapshot');
      await create();
      await host.manage('delete alice --yes');
      await host.manage('trash restore alice');
      expect((await create()).base).toBe(made.at(-2)?.id);
      await host.isSound();
    });
  });
}
