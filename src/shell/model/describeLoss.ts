import { plural } from '../../domain/text.ts';
import { showTime, showUse } from '../../catalogue/declaration/show.ts';
import type { ContainerDetails } from '../../domain/results/container.ts';

/** Describes what deleting a container destroys, from the result of `info`. */
export function describeLoss(result: unknown): (readonly [string, string])[] {
  const { container } = result as { container: ContainerDetails };
  const context = { now: new Date(), terminal: true };
  return [
    ['Container', `${container.name} (${container.status})`],
    ['Disk used', showUse(container.diskUsedBytes, container.diskQuotaBytes)],
    ['Last login', container.lastLoginAt === null ? 'unknown' : showTime(container.lastLoginAt, context)],
    ['Snapshots', container.snapshots === 0 ? 'none' : `${plural(container.snapshots, 'snapshot')}, which go with it`],
  ];
}
