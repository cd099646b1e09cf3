/** The step that puts everything which matters on a disk of its own. */
import { realpath } from 'node:fs/promises';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import type { Say, Step } from '../step/step.ts';
import { diskState } from './disk.ts';
import { assertMounts, missingAssertions } from './mountAssertions.ts';
import { poolName } from './names.ts';
import {
  createPool,
  importPool,
  isPoolImported,
  mountDatasets,
  poolDevices,
  requireFreeMountPoints,
  unmountedDatasets,
} from './pool.ts';
import { keepSshdKeys } from './sshdKeys.ts';

export interface DataDiskOptions {
  readonly device: string;
  readonly say: Say;
  /** Reports whether this machine has ZFS. */
  readonly hasZfs: () => Promise<boolean>;
  /** Installs ZFS, or rejects. */
  readonly installZfs: () => Promise<void>;
}

/**
 * Returns the step for a disk. An empty one gets a pool. One that has the pool is taken over, and so brings back what
 * it holds. Any other is refused (`wrong-state`).
 */
export function dataDiskStep({ device, say, hasZfs, installZfs }: DataDiskOptions): Step {
  const isImported = async (): Promise<boolean> => (await hasZfs()) && (await isPoolImported());
  return {
    survey: async () => {
      if (await isImported()) {
        await requirePoolOn(device);
        return [
          ...(await unmountedDatasets()).map(({ dataset, path }) => `Mount ${dataset} at ${path}`),
          ...((await missingAssertions()).length === 0
            ? []
            : ['Let Incus and the server start only while the data disk is mounted']),
        ];
      }
      const state = await diskState(device);
      await requireFreeMountPoints();
      const zfs = (await hasZfs()) ? [] : ['Install ZFS'];
      return [
        ...zfs,
        state.kind === 'empty'
          ? `Create the ZFS pool "${poolName}" on ${device}, for containers, the database of Incus and the server's home`
          : `Take over the ZFS pool "${poolName}" of ${device}, with all that it holds`,
      ];
    },
    conceals: async () =>
      (await isImported()) ? (await unmountedDatasets()).length > 0 : (await diskState(device)).kind === 'ours',
    apply: async () => {
      if (!(await isImported())) {
        // Looked at first: nothing is installed for a disk that is refused.
        const state = await diskState(device);
        await requireFreeMountPoints();
        if (!(await hasZfs())) await installZfs();
        if (state.kind === 'empty') await createPool(device, say);
        else await importPool(state.member, say);
      }
      await requirePoolOn(device);
      await mountDatasets(say);
      await assertMounts(say);
      await keepSshdKeys(say);
    },
  };
}

async function requirePoolOn(device: string): Promise<void> {
  const path = await realpath(device).catch(() => device);
  const devices = await poolDevices();
  // ZFS partitions a whole disk: the pool of /dev/sdb is on /dev/sdb1, that of /dev/nvme1n1 on /dev/nvme1n1p1.
  if (devices.some((each) => each === path || each.replace(/(?:(?<=\d)p)?(?<!\d)\d+$/, '') === path)) return;
  throw new Failure('wrong-state', {
    what: `data disk ${quoted(device)}`,
    why: `the pool "${poolName}" of this machine is on ${devices.join(', ') || 'another device'}`,
    next: 'name that disk, or leave --data-disk out',
  });
}
