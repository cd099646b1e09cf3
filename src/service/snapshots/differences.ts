/** The difference that `reconcile` finds between a container's schedule of snapshots and the one it should have. */
import type { DifferenceKind } from '../../domain/results/upkeep.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { Incus } from '../../host/incus/incus.ts';
import type { Settings } from '../../settings/settings.ts';
import { scheduleChange, wantedSchedule } from './schedule.ts';

interface Found {
  readonly kind: DifferenceKind;
  readonly target: string;
  readonly detail: string;
  readonly fix: string;
  readonly repair: () => Promise<void>;
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
