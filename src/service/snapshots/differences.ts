/** The differences that `reconcile` finds about snapshots: a wrong schedule, and earlier generations of no more use. */
import type { Found } from '../../domain/results/found.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { Incus } from '../../host/incus/incus.ts';
import type { Settings } from '../../settings/settings.ts';
import { ownerOfInstance } from '../instances/metadata.ts';
import { replacedOf } from './generations.ts';
import { scheduleChange, wantedSchedule } from './schedule.ts';

/**
 * Returns what is left over of earlier generations. One without snapshots is of no use any more; one whose container is
 * gone may be all that is left of it, and a person decides.
 */
export async function generationDifferences(
  { incus }: { readonly incus: Pick<Incus, 'delete' | 'snapshots'> },
  instances: readonly IncusInstance[],
  wanted: (user: string) => boolean,
  signal?: AbortSignal,
): Promise<Found[]> {
  const owners = new Set<string | undefined>(instances.map(ownerOfInstance));
  const found = instances.map(async (instance): Promise<Found[]> => {
    const user = replacedOf(instance);
    if (user === undefined || !wanted(user)) return [];
    const { name } = instance;
    const about = { target: user, detail: `${name} is an earlier state of the container` };
    if (!owners.has(user))
      return [{ kind: 'generation-orphan', ...about, detail: `${about.detail}, which is gone`, fix: null }];
    if ((await incus.snapshots.list(name, signal)).length > 0) return [];
    return [
      {
        kind: 'generation-empty',
        ...about,
        detail: `${about.detail}, and its last snapshot is gone`,
        fix: 'delete it',
        repair: () => incus.delete(name),
      },
    ];
  });
  return (await Promise.all(found)).flat();
}

export function scheduleDifferences(
  { incus, settings }: { readonly incus: Pick<Incus, 'patch'>; readonly settings: Pick<Settings, 'snapshots'> },
  user: string,
  instance: IncusInstance,
): Found[] {
  const config = scheduleChange(instance, settings);
  if (config === undefined) return [];
  const { every, keep } = wantedSchedule(instance, settings);
  return [
    {
      kind: 'snapshot-schedule',
      target: user,
      detail: `the schedule of its snapshots is not ${every === 'never' ? 'off' : `${every}, kept ${keep}`}`,
      fix: 'set the schedule',
      repair: () => incus.patch(instance.name, { config }),
    },
  ];
}
