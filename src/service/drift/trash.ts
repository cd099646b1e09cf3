/** What should not be in the trash any more, and what belongs to nothing there. */
import type { Found } from '../../domain/results/found.ts';
import { hourMs } from '../../domain/values/duration.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { HostContext } from '../instances/context.ts';
import { field } from '../instances/metadata.ts';
import { trashedAmong, trashedWith } from '../trash/record.ts';

/** How long after its time the scheduler has purged a container, in milliseconds, even if one run failed. */
const graceMs = 3 * hourMs;

export function trashDifferences(
  { incus, now }: Pick<HostContext, 'incus' | 'now'>,
  instances: readonly IncusInstance[],
  wanted: (user: string) => boolean,
  isClockTrue: boolean,
): Found[] {
  const trashed = trashedAmong(instances);
  const overdue = trashed
    .filter(({ record }) => isClockTrue && wanted(record.user) && Date.parse(record.until) + graceMs < now().getTime())
    .map(({ instance: { name }, record }): Found => ({
      kind: 'trash-overdue',
      target: record.user,
      detail: `${name} was to be purged at ${record.until}`,
      fix: 'purge it',
      repair: async () => {
        for (const generation of trashedWith(instances, name)) await incus.delete(generation.name);
        await incus.delete(name);
      },
    }));
  const heads = new Set(trashed.map(({ instance }) => instance.name));
  const orphans = instances.flatMap(({ name, config }): Found[] => {
    const user = config[field.replaced];
    const head = config[field.trashed];
    if (user === undefined || head === undefined || heads.has(head) || !wanted(user)) return [];
    const detail = `${name} is an earlier state of a deleted container that is not in the trash any more`;
    return [{ kind: 'trash-orphan', target: user, detail, fix: null }];
  });
  return [...overdue, ...orphans];
}
