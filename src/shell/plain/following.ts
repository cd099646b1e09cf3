/** The live list, as sentences: all of it once, and then what becomes different. */
import { listColumns, type ListColumnName } from '../../catalogue/verbs/list.ts';
import { plural } from '../../catalogue/declaration/show.ts';
import type { FeedContainer, FeedUpdate } from '../../domain/events/notice.ts';
import { printable } from '../../domain/text.ts';
import { rowSentence, stopped, titleInWords, valueInWords } from './sentences.ts';

/** What is said of a container. */
const spoken = [
  'name',
  'status',
  'ip',
  'quota',
  'autostart',
  'disk',
  'memory',
] as const satisfies readonly ListColumnName[];
/**
 * What is said when it changes. Not how much of a disk or a processor is used: that changes with every measurement, and
 * would never be silent.
 */
const noticed = [
  'status',
  'ip',
  'quota',
  'autostart',
  'cpu',
  'docker',
  'snapshots',
  'labels',
] as const satisfies readonly ListColumnName[];

export class ListTeller {
  readonly #now: () => Date;
  readonly #known = new Map<string, FeedContainer>();
  #stale: string | null = null;
  #told = false;

  constructor(now: () => Date = () => new Date()) {
    this.#now = now;
  }

  /** The lines to say. */
  tell({ whole, changed, removed, stale }: FeedUpdate): string[] {
    const lines = whole && !this.#told ? this.#all(changed) : this.#changes(whole, changed, removed);
    if (stale !== this.#stale) {
      lines.push(
        stale === null
          ? 'The list is up to date again.'
          : `The list cannot be followed at the moment: ${stopped(printable(stale))}`,
      );
      this.#stale = stale;
    }
    return lines;
  }

  #all(containers: readonly FeedContainer[]): string[] {
    this.#told = true;
    for (const container of containers) this.#known.set(container.user, container);
    const sorted = containers.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    return [
      ...sorted.map((container) => this.#row(container)),
      `${plural(containers.length, 'container')}. What changes is said. Enter or Ctrl-C ends this.`,
    ];
  }

  #changes(whole: boolean, changed: readonly FeedContainer[], removed: readonly string[]): string[] {
    const gone = whole
      ? [...this.#known.keys()].filter((user) => !changed.some((container) => container.user === user))
      : removed;
    const lines = gone.flatMap((user) => {
      const container = this.#known.get(user);
      this.#known.delete(user);
      return container === undefined ? [] : [`Container ${printable(container.name)} is gone.`];
    });
    for (const container of changed) {
      const before = this.#known.get(container.user);
      this.#known.set(container.user, container);
      if (before === undefined) lines.push(`New: ${this.#row(container)}`);
      else lines.push(...this.#difference(before, container));
    }
    return lines;
  }

  #row(container: FeedContainer): string {
    return rowSentence(
      spoken.map((name) => listColumns[name].title),
      spoken.map((name) => this.#cell(container, name)),
      'Container',
    );
  }

  #difference(before: FeedContainer, after: FeedContainer): string[] {
    const parts = noticed.flatMap((name) => {
      const [was, is] = [this.#cell(before, name), this.#cell(after, name)];
      return was === is
        ? []
        : [`${titleInWords(listColumns[name].title)} ${valueInWords(is)}, before ${valueInWords(was)}`];
    });
    return parts.length === 0 ? [] : [`Container ${printable(after.name)}: ${parts.join('; ')}.`];
  }

  #cell(container: FeedContainer, name: ListColumnName): string {
    return listColumns[name].cell(container, { now: this.#now(), terminal: true });
  }
}
