/** What `list` says below its table. */
import type { Container, ContainerList } from '../../domain/results/container.ts';
import { plural } from '../../domain/text.ts';
import { durationInWords, minuteMs } from '../../domain/values/duration.ts';
import type { Block, ViewContext } from '../declaration/view.ts';

export function listSummary(result: ContainerList, { now }: ViewContext): Block[] {
  const ageMs = now.getTime() - Date.parse(result.measuredAt);
  return [
    {
      kind: 'text',
      tone: 'quiet',
      text:
        `Total: ${plural(result.total, 'container')} (${counts(result)})` +
        (result.foreign === 0
          ? ''
          : `; ${plural(result.foreign, 'other instance')} on this host not created by containarium`) +
        // An open live list is measured at least once a minute.
        (ageMs > minuteMs ? `; use measured ${durationInWords(ageMs)} ago` : ''),
    },
    ...restarts(result.containers),
  ];
}

/** Returns the numbers of containers by the status that the list shows: one that is being made is not stopped. */
function counts({ containers, running, stopped }: ContainerList): string {
  const underway = containers.filter(({ provisioning }) => provisioning !== 'ready');
  const unready = (wanted: Container['status']): number => underway.filter(({ status }) => status === wanted).length;
  const others = (['creating', 'deleting'] as const).flatMap((state) => {
    const count = underway.filter(({ provisioning }) => provisioning === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return [`${running - unready('running')} running`, `${stopped - unready('stopped')} stopped`, ...others].join(', ');
}

/** Returns a line that names the containers that have to restart, if there are any. */
function restarts(containers: readonly Container[]): Block[] {
  const found = containers.filter(({ restartFor }) => restartFor.length > 0);
  if (found.length === 0) return [];
  const verbs = found.slice(0, maxNamedRestarts).map(({ user }) => `"restart ${user}"`);
  const more = found.length > verbs.length ? `, and ${found.length - verbs.length} more` : '';
  const reasons = [...new Set(found.flatMap(({ restartFor }) => restartFor))].join('; ');
  const text = `${plural(found.length, 'container')} to restart (${reasons}): ${verbs.join(', ')}${more}`;
  return [{ kind: 'text', tone: 'warn', text }];
}

const maxNamedRestarts = 10;
