/**
 * The live list without its looks: which containers there are, which are shown in which order, which one is selected,
 * which are marked.
 */
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
  #sort: ColumnName = 'name';
  #descending = false;
  #loaded = false;
  #measuredAt: string | null = null;
  #now = epoch;
  #stale: string | null = null;

  /** Whether anything has been heard of the containers yet. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get measuredAt(): string | null {
    return this.#measuredAt;
  }

  /** Why the list is not followed at the moment. */
  get stale(): string | null {
    return this.#stale;
  }

  /** The time that uptimes are counted to. It moves with updates only, so that nothing changes by itself. */
  get now(): Date {
    return this.#now;
  }

  get all(): readonly FeedContainer[] {
    return [...this.#containers.values()];
  }

  /** What passes the filter, in order. */
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

  /** Its place among what is shown; 0 where nothing is. */
  get selectedIndex(): number {
    return Math.max(
      0,
      this.#shown.findIndex(({ user }) => user === this.#selected),
    );
  }

  get marks(): ReadonlySet<string> {
    return this.#marks;
  }

  /** What a key acts on: the marked containers, shown or not, or else the selected one. */
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
    this.#arrange();
  }

  /** Says that the list cannot be followed. */
  lose(why: string): void {
    this.#loaded = true;
    this.#stale = why;
  }

  setFilter(filter: string): void {
    this.#filter = filter;
    this.#arrange();
  }

  /** As `list --sort` takes it; a column that this list does not have changes nothing. */
  sortBy(column: string): void {
    const name = column.replace(/^-/, '');
    if (!isColumn(name)) return;
    this.#sort = name;
    this.#descending = column.startsWith('-');
    this.#arrange();
  }

  nextSort(): void {
    this.#sort = columnNames[(columnNames.indexOf(this.#sort) + 1) % columnNames.length] ?? 'name';
    // Of what is used, the largest user is looked for.
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

  /** Marks all that are shown; where they are, takes their marks away. */
  markShown(): void {
    const all = this.#shown.every(({ user }) => this.#marks.has(user));
    for (const { user } of this.#shown) {
      if (all) this.#marks.delete(user);
      else this.#marks.add(user);
    }
  }

  /**
   * Filters and orders again. The selection stays with its container; where that is gone, it goes to the one behind it.
   */
  #arrange(): void {
    const before = this.#shown;
    const passes = parseFilter(this.#filter);
    this.#shown = this.#ordered(
      [...this.#containers.values()].filter((container) =>
        passes({ text: this.#haystack(container), labels: container.labels }),
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

  #haystack(container: FeedContainer): string {
    if (this.#filter === '') return '';
    return columnNames
      .map((name) => cellText(name, container, this.now))
      .join('\n')
      .toLowerCase();
  }

  #ordered(containers: readonly FeedContainer[]): FeedContainer[] {
    const { value } = columnOf(this.#sort);
    const sign = this.#descending ? -1 : 1;
    return [...containers].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return Number(x === null) - Number(y === null) || natural.compare(a.name, b.name);
      const order = typeof x === 'number' && typeof y === 'number' ? x - y : natural.compare(String(x), String(y));
      return sign * order || natural.compare(a.name, b.name);
    });
  }
}
