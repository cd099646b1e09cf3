/** The dialogs of the live list: the form for a new size, the question before several deletions. */
import type { AnyVerb } from '../../../catalogue/catalogue.ts';
import { plural } from '../../../domain/text.ts';
import { showSize } from '../../../catalogue/declaration/show.ts';
import { formatExact } from '../../../domain/values/size.ts';
import type { FeedContainer } from '../../../domain/events/notice.ts';
import type { Confirmation } from '../../model/ui.ts';
import { statusOf } from '../model/columns.ts';

export interface SizeForm {
  /** The verb without its argument, because the containers are known. */
  readonly verb: AnyVerb;
  readonly given: Readonly<Record<string, unknown>>;
}

export function sizeForm(verb: AnyVerb, containers: readonly FeedContainer[]): SizeForm {
  const names = containers.map(({ user }) => user);
  return {
    verb: {
      ...verb,
      summary: `${verb.summary}: ${names.join(', ')}`,
      parameters: verb.parameters.filter(({ kind }) => kind !== 'argument'),
    },
    given: {
      ...common(
        'cpu',
        containers.map(({ cpus }) => (cpus === null ? null : String(cpus))),
      ),
      ...common(
        'memory',
        containers.map(({ memoryLimitBytes }) => sizeText(memoryLimitBytes)),
      ),
      ...common(
        'disk',
        containers.map(({ diskQuotaBytes }) => sizeText(diskQuotaBytes)),
      ),
      ...common(
        'processes',
        containers.map(({ processLimit }) => (processLimit === null ? null : String(processLimit))),
      ),
    },
  };
}

function sizeText(bytes: number | null): string | null {
  return bytes === null ? null : formatExact(bytes);
}

/** Returns the value that all containers share, if there is one. */
function common(name: string, values: readonly (string | null)[]): Record<string, string> {
  const [first] = values;
  return first === undefined || first === null || values.some((value) => value !== first) ? {} : { [name]: first };
}

/** Returns the fields that the user changed. Only these are sent. */
export function changedFields(
  given: Readonly<Record<string, unknown>>,
  filled: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(filled).filter(([name, value]) => value !== given[name]));
}

/** Returns the question before changing several containers, which a letter does not answer. */
export function changeOfSeveral(verb: AnyVerb, containers: readonly FeedContainer[]): Confirmation {
  return {
    title: `${verb.summary}: ${plural(containers.length, 'container')}.`,
    facts: containers.map((container) => [container.user, statusOf(container).word] as const),
    word: `${verb.name} ${containers.length}`,
  };
}

/** Returns the question before deleting several containers. Its word has their number, so it is not typed by habit. */
export function deletionOfSeveral(containers: readonly FeedContainer[]): Confirmation {
  return {
    title: `Delete ${plural(containers.length, 'container')} and their jump accounts. They are kept in the trash for a while.`,
    facts: containers.map((container) => {
      const snapshots = container.snapshots === 0 ? '' : `, ${plural(container.snapshots, 'snapshot')}`;
      return [
        container.user,
        `${statusOf(container).word}, ${showSize(container.diskUsedBytes)} of disk used${snapshots}`,
      ] as const;
    }),
    word: `delete ${containers.length}`,
  };
}
