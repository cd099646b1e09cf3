/** Formatting of single values in views: readable on a terminal, exact elsewhere. */
import { lazily } from '../../domain/lazily.ts';
import { formatHuman, formatLimit } from '../../domain/values/size.ts';
import { dayMs, formatUptime, hourMs, minuteMs, secondMs } from '../../domain/values/duration.ts';
import type { ViewContext } from './view.ts';

export function showSize(bytes: number | null): string {
  return bytes === null ? '-' : formatHuman(bytes);
}

/** Returns a limit in the unit in which it was given. */
export function showLimit(bytes: number | null): string {
  return bytes === null ? '-' : formatLimit(bytes);
}

/** Returns `512 MiB / 2 GiB (25%)` of a limit, without the unknown parts. */
export function showUse(usedBytes: number | null, limitBytes: number | null): string {
  return useOf(usedBytes, limitBytes, formatLimit);
}

/** Returns `512 MiB / 7.8 GiB (6%)` of a total that was measured. */
export function showUseOfHost(usedBytes: number, totalBytes: number): string {
  return useOf(usedBytes, totalBytes, formatHuman);
}

function useOf(usedBytes: number | null, totalBytes: number | null, format: (bytes: number) => string): string {
  if (usedBytes === null) return totalBytes === null ? '-' : `- / ${format(totalBytes)}`;
  if (totalBytes === null || totalBytes === 0) return formatHuman(usedBytes);
  return `${formatHuman(usedBytes)} / ${format(totalBytes)} (${percent(usedBytes, totalBytes)})`;
}

export function percent(part: number, whole: number): string {
  if (whole <= 0) return '-';
  const value = (part / whole) * 100;
  return value > 0 && value < 1 ? '<1%' : `${Math.round(value)}%`;
}

export function showCpu(percentOfOne: number | null): string {
  return percentOfOne === null ? '-' : `${percentOfOne < 10 ? percentOfOne.toFixed(1) : Math.round(percentOfOne)}%`;
}

const relative = lazily(() => new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'long' }));
const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', dayMs],
  ['hour', hourMs],
  ['minute', minuteMs],
  ['second', secondMs],
];

/** Returns a time relative to now on a terminal, and in RFC 3339 elsewhere. */
export function showTime(time: string | null, context: ViewContext): string {
  if (time === null || time === '') return '-';
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) return time;
  if (!context.terminal) return new Date(ms).toISOString();
  const ago = context.now.getTime() - ms;
  const [unit, length] = units.find(([, candidate]) => Math.abs(ago) >= candidate) ?? (['second', secondMs] as const);
  return relative().format(-Math.round(ago / length), unit);
}

/**
 * Returns a time relative to now on a terminal, and elsewhere in the zone of the machine that prints it, for people:
 * `2026-12-06 14:05:09 UTC`. Programs read the other formats.
 */
export function showLocalTime(time: string | null, context: ViewContext): string {
  const ms = Date.parse(time ?? '');
  return context.terminal || Number.isNaN(ms) ? showTime(time, context) : localTime().format(ms);
}

/** The locale is the one whose form is that of ISO 8601. */
const localTime = lazily(
  () =>
    new Intl.DateTimeFormat('sv-SE', {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'short',
    }),
);

/** Returns a time to the minute: `2026-12-06 14:05 UTC`. */
export function showDate(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}

export function showUptime(startedAt: string | null, context: ViewContext): string {
  if (startedAt === null) return '-';
  const ms = Date.parse(startedAt);
  return Number.isNaN(ms) ? '-' : formatUptime(context.now.getTime() - ms);
}

export function yesNo(value: boolean): string {
  return value ? 'Yes' : 'No';
}

export function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
