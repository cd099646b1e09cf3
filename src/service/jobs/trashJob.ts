/**
 * Purges containers in the trash whose time is over. If a pool runs low, the oldest go early, and then scheduled
 * snapshots.
 */
import { Failure } from '../../domain/failure.ts';
import { plural } from '../../domain/text.ts';
import { hourMs } from '../../domain/values/duration.ts';
import type { ServiceContext } from '../context.ts';
import { rootDevice } from '../instances/containers.ts';
import { ownerOfInstance } from '../instances/metadata.ts';
import { schedule } from '../instances/schedule.ts';
import { deleteSnapshot } from '../snapshots.ts';
import { expendableSnapshots, type Expendable } from '../snapshots/expendable.ts';
import { purgeTrash } from '../trash.ts';
import { trashedAmong, type TrashedInstance } from '../trash/record.ts';
import { attemptEach, type Attempted } from './attempts.ts';
import { jobCall, type Job, type JobConditions } from './job.ts';
import { isLow, isLowAfter, type Pause } from './poolRoom.ts';

/** How long before an early deletion it is announced, in milliseconds; less than the time between two runs. */
const noticeMs = hourMs / 2;

/** Share of the snapshots that is deleted at once. What one snapshot frees is often too little to see. */
const snapshotShare = 0.1;

/** What a pool can do without. */
interface Spare {
  readonly pool: string;
  readonly trashed: readonly TrashedInstance[];
  readonly snapshots: readonly Expendable[];
}

export class TrashJob implements Job {
  readonly name = 'trash';
  readonly summary =
    'Purge deleted containers whose time is over; if the pool runs low, also the oldest others, then scheduled snapshots';
  readonly pattern = '17 * * * *';
  /** When each low pool was announced, by performance.now(). */
  readonly #announced = new Map<string, number>();
  readonly #pause: Pause | undefined;

  /** @param pause waits while a pool frees space. Default: as long as it is told. */
  constructor(pause?: Pause) {
    this.#pause = pause;
  }

  async run(context: ServiceContext, { mayDelete }: JobConditions): Promise<string | undefined> {
    const instances = await context.incus.instances();
    const trashed = trashedAmong(instances);
    const due = trashed.filter(({ record }) => Date.parse(record.until) <= context.now().getTime());
    const failures: Failure[] = [];
    const noted = <T>({ done, failure }: Attempted<T>): readonly T[] => {
      if (failure !== undefined) failures.push(failure);
      return done;
    };
    const purged = mayDelete ? noted(await attemptEach(due, (one) => purge(context, one))) : [];
    // One that could not be purged is tried again in an hour.
    const left = trashed.filter((one) => !due.includes(one) || !mayDelete);
    const ours = instances.filter((instance) => ownerOfInstance(instance) !== undefined);
    const pools = new Set(
      [...ours, ...left.map(({ instance }) => instance)].flatMap((one) => rootDevice(one)?.device['pool'] ?? []),
    );
    const early: TrashedInstance[] = [];
    let snapshots = 0;
    const lookAt = async (pool: string): Promise<void> => {
      if (!(await isLow(context, pool))) {
        this.#announced.delete(pool);
        return;
      }
      const spare = await spareOf(context, pool, left);
      if (!this.#mayDelete(context, spare) || !mayDelete) return;
      const { isStillLow, ...attempted } = await this.#purgeEarly(context, spare);
      early.push(...noted(attempted));
      if (isStillLow) snapshots += noted(await this.#deleteSnapshots(context, spare)).length;
    };
    noted(await attemptEach([...pools], lookAt));
    const [failure] = failures;
    if (failure !== undefined) throw failure;
    const done = [
      ...(purged.length === 0 ? [] : [`${plural(purged.length, 'container')} purged: ${names(purged)}`]),
      ...(early.length === 0 ? [] : [`${plural(early.length, 'container')} purged early: ${names(early)}`]),
      ...(snapshots === 0 ? [] : [`${plural(snapshots, 'scheduled snapshot')} deleted early`]),
      ...(!mayDelete && due.length > 0 ? [`${plural(due.length, 'container')} would be due`] : []),
    ];
    return done.length === 0 ? undefined : done.join('; ');
  }

  /** Purges the oldest containers of a low pool until it is not low. */
  async #purgeEarly(
    context: ServiceContext,
    { pool, trashed }: Spare,
  ): Promise<Attempted<TrashedInstance> & { readonly isStillLow: boolean }> {
    const done: TrashedInstance[] = [];
    let failure: Failure | undefined;
    for (const one of trashed) {
      try {
        const isStillLow = await isLowAfter(context, pool, () => purge(context, one), this.#pause);
        done.push(one);
        if (!isStillLow) return { done, failure, isStillLow };
      } catch (error) {
        failure ??= Failure.from(error);
      }
    }
    return { done, failure, isStillLow: true };
  }

  /** Deletes the oldest scheduled snapshots of a low pool, some at a time, until it is not low. */
  async #deleteSnapshots(context: ServiceContext, { pool, snapshots }: Spare): Promise<Attempted<Expendable>> {
    const atOnce = Math.ceil(snapshots.length * snapshotShare);
    const deleted: Expendable[] = [];
    let failure: Failure | undefined;
    for (let at = 0; at < snapshots.length; at += atOnce) {
      const act = async (): Promise<void> => {
        const some = await attemptEach(snapshots.slice(at, at + atOnce), ({ user, name: snapshot }) =>
          deleteSnapshot(context, { user, snapshot }, jobCall({ user, snapshot })),
        );
        deleted.push(...some.done);
        failure ??= some.failure;
      };
      if (!(await isLowAfter(context, pool, act, this.#pause))) break;
    }
    return { done: deleted, failure };
  }

  /** Reports whether a deletion was announced long enough ago, and announces it if it was not. */
  #mayDelete({ room, settings }: ServiceContext, { pool, trashed, snapshots }: Spare): boolean {
    if (trashed.length === 0 && snapshots.length === 0) return false;
    const announcedMs = this.#announced.get(pool);
    if (announcedMs !== undefined) return performance.now() - announcedMs >= noticeMs;
    this.#announced.set(pool, performance.now());
    const back = '"trash restore" brings one back.';
    const trash = `the oldest deleted containers are purged until it is: ${names(trashed)}. ${back}`;
    const oldest = 'the oldest scheduled snapshots are deleted, but never the newest of a container.';
    const plan = [
      ...(trashed.length === 0 ? [] : [`In an hour ${trash}`]),
      ...(snapshots.length === 0
        ? []
        : [trashed.length === 0 ? `In an hour ${oldest}` : `If that is not enough, ${oldest}`]),
    ];
    room.say(
      schedule,
      `Less than ${settings.trash.minFreePercent} % of the storage pool ${pool} is free. ${plan.join(' ')}`,
      null,
    );
    return false;
  }
}

async function spareOf({ incus }: ServiceContext, pool: string, trashed: readonly TrashedInstance[]): Promise<Spare> {
  return {
    pool,
    trashed: trashed.filter(({ instance }) => rootDevice(instance)?.device['pool'] === pool),
    snapshots: expendableSnapshots(await incus.instancesWithState(), pool),
  };
}

function purge(context: ServiceContext, { instance, record: { user } }: TrashedInstance): Promise<unknown> {
  const request = { user, name: instance.name };
  return purgeTrash(context, request, jobCall(request));
}

function names(trashed: readonly TrashedInstance[]): string {
  return trashed.map(({ instance }) => instance.name).join(', ');
}
