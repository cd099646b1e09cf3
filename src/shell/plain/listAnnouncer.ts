/** Announces the live list as sentences: first every container, then each change. */
import { defaultListColumns, listColumns, type ListColumnName } from '../../catalogue/verbs/list.ts';
import type { FeedContainer, FeedUpdate } from '../../domain/events/notice.ts';
import { plural, printable } from '../../domain/text.ts';
import { rowSentence, stopped, titleInWords, valueInWords } from './sentences.ts';

/** The columns whose changes are announced. Use of disk, memory and CPU is left out: every measurement changes it. */
const watchedColumns = [
  'status',
  'ip',
  'quota',
  'autostart',
  'cpu',
  'docker',
  'snapshots',
  'labels',
] as const satisfies readonly ListColumnName[];

export class ListAnnouncer {
  readonly #now: () => Date;
  readonly #known = new Map<string, FeedContainer>();
  #stale: string | null = null;
  #announced = false;

  constructor(now: () => Date = () => new Date()) {
    this.#now = now;
  }

  /** Returns the sentences for an update. */
  announce({ whole, changed, removed, stale }: FeedUpdate): string[] {
    const lines = whole && !this.#announced ? this.#all(changed) : this.#changes(whole, changed, removed);
    if (stale !== this.#stale) {
      lines.push(
        stale === null ? 'The list is up to date again.' : `The list is out of date: ${stopped(printable(stale))}`,
      );
      this.#stale = stale;
    }
    return lines;
  }

  #all(containers: readonly FeedContainer[]): string[] {
    this.#announced = true;
    for (const container of containers) this.#known.set(container.user, container);
    const sorted = containers.toSorted((a, b) => a.user.localeCompare(b.user, 'en', { numeric: true }));
    return [
      ...sorted.map((container) => this.#row(container)),
      `${plural(containers.length, 'container')}. Changes are announced. Press Enter or Ctrl-C to stop.`,
    ];
  }

  #changes(whole: boolean, changed: readonly FeedContainer[], removed: readonly string[]): string[] {
    const gone = whole
      ? [...this.#known.keys()].filter((user) => !changed.some((container) => container.user === user))
      : removed;
    const lines = gone.flatMap((user) => {
      const container = this.#known.get(user);
      this.#known.delete(user);
      return container === undefined ? [] : [`Container of ${printable(container.user)} is no longer listed.`];
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
      defaultListColumns.map((name) => listColumns[name].title),
      defaultListColumns.map((name) => this.#cell(container, name)),
      'Container of',
    );
  }

  #difference(before: FeedContainer, after: FeedContainer): string[] {
    const parts = watchedColumns.flatMap((name) => {
      const [was, is] = [this.#cell(before, name), this.#cell(after, name)];
      return was === is
        ? []
        : [`${titleInWords(listColumns[name].title)} ${valueInWords(is)}, was ${valueInWords(was)}`];
    });
    return parts.length === 0 ? [] : [`Container of ${printable(after.user)}: ${parts.join('; ')}.`];
  }

  #cell(container: FeedContainer, name: ListColumnName): string {
    return listColumns[name].cell(container, { now: this.#now(), terminal: true });
  }
}
