/** The state of the live list: its containers, filter, order, selection and marks. */
import type { FeedContainer, FeedUpdate } from '../../../domain/events/notice.ts';
import { cellText, columnNames, columnOf, isColumn, type ColumnName } from './columns.ts';
import { parseFilter } from './filter.ts';

const natural = new Intl.Collator('en', { numeric: true });
const epoch = new Date(0);

export class ListModel {
  readonly #containers = new Map<string, FeedContainer>();
  readonly #marks = new Set<string>();
  #shown: readonly FeedContainer[] = [];
  #selected: string | undefined;
  #filter = '';
  #sort: ColumnName = 'user';
  #descending = false;
  #loaded = false;
  #measuredAt: string | null = null;
  #now = epoch;
  readonly #searchTexts = new Map<string, string>();
  #stale: string | null = null;

  /** Whether the first update, or a failure to get it, has arrived. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get measuredAt(): string | null {
    return this.#measuredAt;
  }

  /** Why the list is out of date; null if it is not. */
  get stale(): string | null {
    return this.#stale;
  }

  /** The current time for uptimes. It advances only with updates, so that the screen does not change by itself. */
  get now(): Date {
    return this.#now;
  }

  get all(): readonly FeedContainer[] {
    return [...this.#containers.values()];
  }

  /** The containers that pass the filter, in order. */
  get shown(): readonly FeedContainer[] {
    return this.#shown;
  }

  get filter(): string {
    return this.#filter;
  }

  get sort(): ColumnName {
    return this.#sort;
  }

  get descending(): boolean {
    return this.#descending;
  }

  get selected(): FeedContainer | undefined {
    return this.#selected === undefined ? undefined : this.#containers.get(this.#selected);
  }

  /** The row of the selected container; 0 if the list is empty. */
  get selectedIndex(): number {
    return Math.max(
      0,
      this.#shown.findIndex(({ user }) => user === this.#selected),
    );
  }

  get marks(): ReadonlySet<string> {
    return this.#marks;
  }

  /** The containers that a key acts on: the marked ones, shown or not, otherwise the selected one. */
  get targets(): readonly FeedContainer[] {
    if (this.#marks.size > 0)
      return this.#ordered([...this.#containers.values()].filter(({ user }) => this.#marks.has(user)));
    return this.selected === undefined ? [] : [this.selected];
  }

  container(user: string): FeedContainer | undefined {
    return this.#containers.get(user);
  }

  apply({ whole, changed, removed, measuredAt, stale }: FeedUpdate): void {
    if (whole) this.#containers.clear();
    for (const container of changed) this.#containers.set(container.user, container);
    for (const user of removed) this.#containers.delete(user);
    for (const user of this.#marks) if (!this.#containers.has(user)) this.#marks.delete(user);
    this.#loaded ||= whole;
    if (measuredAt !== null && measuredAt !== this.#measuredAt) this.#now = new Date(measuredAt);
    this.#measuredAt = measuredAt;
    this.#stale = stale;
    this.#searchTexts.clear();
    this.#arrange();
  }

  /** Records that the list cannot be followed. */
  setStale(why: string): void {
    this.#loaded = true;
    this.#stale = why;
  }

  setFilter(filter: string): void {
    // Most keys in the filter only move its cursor.
    if (filter === this.#filter) return;
    this.#filter = filter;
    this.#arrange();
  }

  /** Sorts by a column in the syntax of `list --sort`. Ignores a column that this list does not have. */
  sortBy(column: string): void {
    const name = column.replace(/^-/, '');
    if (!isColumn(name)) return;
    this.#sort = name;
    this.#descending = column.startsWith('-');
    this.#arrange();
  }

  nextSort(): void {
    this.#sort = columnNames[(columnNames.indexOf(this.#sort) + 1) % columnNames.length] ?? 'user';
    // For resources, the largest use comes first.
    this.#descending = this.#sort === 'cpu' || this.#sort === 'memory' || this.#sort === 'disk';
    this.#arrange();
  }

  turnSort(): void {
    this.#descending = !this.#descending;
    this.#arrange();
  }

  move(by: number): void {
    const to = Math.max(0, Math.min(this.#shown.length - 1, this.selectedIndex + by));
    this.#selected = this.#shown[to]?.user;
  }

  toggleMark(): void {
    const user = this.selected?.user;
    if (user !== undefined && !this.#marks.delete(user)) this.#marks.add(user);
  }

  /** Marks all shown containers, or unmarks them if all are marked. */
  markShown(): void {
    const all = this.#shown.every(({ user }) => this.#marks.has(user));
    for (const { user } of this.#shown) {
      if (all) this.#marks.delete(user);
      else this.#marks.add(user);
    }
  }

  /** Filters and sorts. The selection stays with its container, or moves to the next one if it is no longer shown. */
  #arrange(): void {
    const before = this.#shown;
    const passes = parseFilter(this.#filter);
    this.#shown = this.#ordered(
      [...this.#containers.values()].filter((container) =>
        passes({ text: this.#searchText(container), labels: container.labels }),
      ),
    );
    const users = new Set(this.#shown.map(({ user }) => user));
    if (this.#selected !== undefined && users.has(this.#selected)) return;
    const at = before.findIndex(({ user }) => user === this.#selected);
    const next =
      at === -1
        ? undefined
        : (before.slice(at).find(({ user }) => users.has(user)) ??
          before.slice(0, at).findLast(({ user }) => users.has(user)));
    this.#selected = next?.user ?? this.#shown[0]?.user;
  }

  /** The text that the filter searches. Kept until the next update: each key in the filter asks for all of them. */
  #searchText(container: FeedContainer): string {
    if (this.#filter === '') return '';
    const known = this.#searchTexts.get(container.user);
    if (known !== undefined) return known;
    const text = columnNames
      .map((name) => cellText(name, container, this.now))
      .join('\n')
      .toLowerCase();
    this.#searchTexts.set(container.user, text);
    return text;
  }

  #ordered(containers: readonly FeedContainer[]): FeedContainer[] {
    const { value } = columnOf(this.#sort);
    const sign = this.#descending ? -1 : 1;
    return [...containers].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return Number(x === null) - Number(y === null) || natural.compare(a.user, b.user);
      const order = typeof x === 'number' && typeof y === 'number' ? x - y : natural.compare(String(x), String(y));
      return sign * order || natural.compare(a.user, b.user);
    });
  }
}
