/** Purges containers in the trash whose time is over, and earlier ones if the pool runs low. */
import { plural } from '../../domain/text.ts';
import { hourMs } from '../../domain/values/duration.ts';
import type { ServiceContext } from '../context.ts';
import { rootDevice } from '../instances/containers.ts';
import { purgeTrash } from '../trash.ts';
import { trashedAmong, type TrashedInstance } from '../trash/record.ts';
import { attemptAll } from './attempts.ts';
import { jobCall, schedule, type Job, type JobConditions } from './job.ts';

/** How long before an early purge it is announced, in milliseconds; less than the time between two runs. */
const noticeMs = hourMs / 2;

export class TrashJob implements Job {
  readonly name = 'trash';
  readonly summary = 'Purge deleted containers whose time is over, and the oldest if the pool runs low';
  readonly pattern = '17 * * * *';
  /** When each low pool was announced, by performance.now(). */
  readonly #announced = new Map<string, number>();

  async run(context: ServiceContext, { mayDelete }: JobConditions): Promise<string | undefined> {
    const trashed = trashedAmong(await context.incus.instances());
    const due = trashed.filter(({ record }) => Date.parse(record.until) <= context.now().getTime());
    const purged = mayDelete ? await attemptAll(due, (one) => purge(context, one)) : [];
    const left = trashed.filter((one) => !purged.includes(one));
    const early = await this.#makeRoom(context, left, mayDelete);
    const done = [
      ...(purged.length === 0 ? [] : [`${plural(purged.length, 'container')} purged: ${names(purged)}`]),
      ...(early.length === 0 ? [] : [`${plural(early.length, 'container')} purged early: ${names(early)}`]),
      ...(!mayDelete && due.length > 0 ? [`${plural(due.length, 'container')} would be due`] : []),
    ];
    return done.length === 0 ? undefined : done.join('; ');
  }

  /** Purges the oldest containers of each pool that runs low, but announces it first. */
  async #makeRoom(
    context: ServiceContext,
    trashed: readonly TrashedInstance[],
    mayDelete: boolean,
  ): Promise<TrashedInstance[]> {
    const pools = new Set(trashed.flatMap(({ instance }) => rootDevice(instance)?.device['pool'] ?? []));
    const purged: TrashedInstance[] = [];
    for (const pool of pools) {
      const inPool = trashed.filter(({ instance }) => rootDevice(instance)?.device['pool'] === pool);
      if (!(await isLow(context, pool))) this.#announced.delete(pool);
      else if (this.#mayPurge(context, pool, inPool) && mayDelete)
        for (const one of inPool) {
          if (!(await isLow(context, pool))) break;
          await purge(context, one);
          purged.push(one);
        }
    }
    return purged;
  }

  #mayPurge({ room, settings }: ServiceContext, pool: string, inPool: readonly TrashedInstance[]): boolean {
    const announcedMs = this.#announced.get(pool);
    if (announcedMs !== undefined) return performance.now() - announcedMs >= noticeMs;
    this.#announced.set(pool, performance.now());
    const { minFreePercent } = settings.trash;
    room.say(
      schedule,
      `Less than ${minFreePercent} % of the storage pool ${pool} is free. In an hour the oldest deleted containers are purged until it is: ${names(inPool)}. "trash restore" brings one back.`,
      null,
    );
    return false;
  }
}

async function isLow({ incus, settings }: ServiceContext, pool: string): Promise<boolean> {
  const { usedBytes, totalBytes } = await incus.poolSpace(pool);
  return totalBytes > 0 && ((totalBytes - usedBytes) / totalBytes) * 100 < settings.trash.minFreePercent;
}

function purge(context: ServiceContext, { instance, record: { user } }: TrashedInstance): Promise<unknown> {
  const request = { user, name: instance.name };
  return purgeTrash(context, request, jobCall(request));
}

function names(trashed: readonly TrashedInstance[]): string {
  return trashed.map(({ instance }) => instance.name).join(', ');
}
