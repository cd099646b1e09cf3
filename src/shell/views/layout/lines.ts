/** Builds the lines of the live list from styled segments, so that they can be tested without a screen. */
import type { TextProps } from 'ink';
import stringWidth from 'string-width';
import type { FeedContainer } from '../../../domain/events/notice.ts';
import { plural, printable } from '../../../domain/text.ts';
import { bar } from '../../items/drawing.ts';
import { fullness, signs, styles, tones } from '../../items/theme.ts';
import type { LiveCall } from '../../model/liveCalls.ts';
import { cell, cut, joinFitting } from './cells.ts';
import { cellText, columnOf, statusOf } from '../model/columns.ts';
import { barCells, gap, type Placed } from './layout.ts';
import type { ListModel } from '../model/listModel.ts';

export type Style = Pick<TextProps, 'color' | 'bold' | 'dimColor' | 'inverse'>;

export interface Segment {
  readonly text: string;
  readonly style?: Style;
}

export interface Line {
  readonly segments: readonly Segment[];
  readonly inverse?: boolean;
}

export interface RowLook {
  readonly selected: boolean;
  readonly marked: boolean;
  /** The running call on this container. */
  readonly liveCall: LiveCall | undefined;
  readonly now: Date;
  /** The width of the row, in cells. */
  readonly width: number;
}

export function rowLine(
  container: FeedContainer,
  placed: readonly Placed[],
  { selected, marked, liveCall, now, width: cells }: RowLook,
): Line {
  const segments: Segment[] = [{ text: `${selected ? signs.prompt : ' '}${marked ? '*' : ' '}`, style: styles.name }];
  for (const [i, { name, width, bar: withBar }] of placed.entries()) {
    if (i > 0) segments.push({ text: ' '.repeat(gap) });
    if (name === 'status') {
      segments.push(statusSegment(container, liveCall, width));
      continue;
    }
    const { align, ratio } = columnOf(name);
    segments.push({
      text: cell(cellText(name, container, now), width, align),
      ...(marked && name === 'user' ? { style: styles.name } : {}),
    });
    if (withBar) segments.push(...barSegments(ratio?.(container) ?? null));
  }
  // The selection is visible across the whole row.
  if (selected)
    segments.push({
      text: ' '.repeat(Math.max(0, cells - segments.reduce((sum, { text }) => sum + stringWidth(text), 0))),
    });
  if (!selected) return { segments: merged(segments) };
  // One even bar: in reverse, the colours of the parts would be stripes. Signs and words say the same.
  return { segments: [{ text: segments.map(({ text }) => text).join('') }], inverse: true };
}

function statusSegment(container: FeedContainer, liveCall: LiveCall | undefined, width: number): Segment {
  if (liveCall !== undefined) return { text: cell(`~ ${progress(liveCall)}`, width), style: tones.warn };
  const { sign, word, tone } = statusOf(container);
  return { text: `${sign} ${cell(word, width - 2)}`, style: tones[tone] };
}

/** Formats the progress of a call: `restart 2/5…`. */
export function progress({ verb, steps }: Pick<LiveCall, 'verb' | 'steps'>): string {
  const step = steps.at(-1);
  return step === undefined ? `${verb}…` : `${verb} ${step.index}/${step.total}…`;
}

function barSegments(ratio: number | null): Segment[] {
  if (ratio === null) return [{ text: ' '.repeat(barCells + 1) }];
  const { full, rest } = bar(ratio, barCells);
  return [{ text: ' ' }, { text: full, style: fullness(ratio) }, { text: rest, style: tones.quiet }];
}

/** Merges adjacent segments of one style, because Ink makes a node of each. */
function merged(segments: readonly Segment[]): Segment[] {
  const all: Segment[] = [];
  for (const segment of segments) {
    const last = all.at(-1);
    if (last !== undefined && last.style === segment.style)
      all[all.length - 1] = { ...last, text: last.text + segment.text };
    else if (segment.text !== '') all.push(segment);
  }
  return all;
}

export function titleLine(
  placed: readonly Placed[],
  { sort, descending }: Pick<ListModel, 'sort' | 'descending'>,
): Line {
  const titles = placed.map(({ name, width, bar: withBar }) => {
    const { title, align } = columnOf(name);
    const shown = name === sort ? `${title} ${descending ? '↓' : '↑'}` : title;
    return cell(shown, width, align) + ' '.repeat(withBar ? barCells + 1 : 0);
  });
  return { segments: [{ text: `  ${titles.join(' '.repeat(gap))}`, style: styles.heading }] };
}

/** Returns the line above the list, most important part first. */
export function headLine(model: ListModel, place: string, width: number): Line {
  const { all, shown, filter, marks, sort, descending, stale, measuredAt } = model;
  if (stale !== null) {
    const since = measuredAt === null ? '' : ` since ${clock(measuredAt)}`;
    return { segments: [{ text: cut(`! Not updated${since}: ${printable(stale)}`, width), style: tones.bad }] };
  }
  if (!model.loaded) return { segments: [{ text: cut('Loading containers…', width), style: tones.quiet }] };
  const running = all.filter(({ status }) => status === 'running').length;
  const hidden = [...marks].filter((user) => !shown.some((container) => container.user === user)).length;
  const parts = [
    filter === ''
      ? `${plural(all.length, 'container')}, ${running} running`
      : `${shown.length} of ${all.length} matching "${printable(filter)}"`,
    ...(marks.size === 0 ? [] : [`${marks.size} marked${hidden === 0 ? '' : ` (${hidden} not shown)`}`]),
    ...(place === '' ? [] : [place]),
    `by ${columnOf(sort).title.toLowerCase()}${descending ? ', descending' : ''}`,
    ...(measuredAt === null ? [] : [`measured ${clock(measuredAt)}`]),
  ];
  return { segments: [{ text: joinFitting(parts, ' · ', width), style: styles.heading }] };
}

/** Formats a time of day in UTC, because the client's time zone is unknown. */
function clock(time: string): string {
  return `${new Date(time).toISOString().slice(11, 19)} UTC`;
}

/** Returns the line for an empty list. */
export function emptyLine({ loaded, filter }: Pick<ListModel, 'loaded' | 'filter'>): Line {
  const text = !loaded
    ? ''
    : filter === ''
      ? 'No containers'
      : `Nothing matches "${printable(filter)}"; Esc clears the filter`;
  return { segments: [{ text: `  ${text}`, style: tones.quiet }] };
}

/** Reports whether two lines look the same. */
export function sameLine(a: Line, b: Line): boolean {
  return (
    a.inverse === b.inverse &&
    a.segments.length === b.segments.length &&
    a.segments.every((segment, i) => segment.text === b.segments[i]?.text && segment.style === b.segments[i].style)
  );
}
