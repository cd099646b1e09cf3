/** Has ZFS read all data of its pools, so that what has decayed is found while there is a copy or a backup. */
import { dayMs } from '../../domain/values/duration.ts';
import { zpoolOf } from '../../host/zpool.ts';
import { poolsInUse } from '../instances/pools.ts';
import { attemptAll } from './attempts.ts';
import type { Job } from './job.ts';

/** Debian and Ubuntu scrub all pools every month by a timer or cron job of their own. One scrub is enough. */
const recentMs = 28 * dayMs;

export const scrubJob: Job = {
  name: 'scrub',
  summary: 'Have ZFS read all data of its pools; what it finds is an alert of the pool',
  pattern: '11 1 1 * *',
  async run(context) {
    const { incus, zfs, now } = context;
    const used = await poolsInUse(context, await incus.instances());
    const zpools = (await incus.pools())
      .filter(({ name, driver }) => driver === 'zfs' && used.includes(name))
      .map((pool) => zpoolOf(pool));
    const begun: string[] = [];
    await attemptAll([...new Set(zpools)], async (zpool) => {
      const { isRunning, endedAt } = await zfs.lastScrub(zpool);
      if (isRunning || (endedAt !== undefined && now().getTime() - endedAt.getTime() < recentMs)) return;
      await zfs.scrub(zpool);
      begun.push(zpool);
    });
    return begun.length === 0 ? undefined : `scrub of ${begun.join(', ')} begun`;
  },
};
