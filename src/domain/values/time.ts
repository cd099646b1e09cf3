/**
 * Points in time as people type them, and spans as they read them. Without an offset, times are UTC, like all times
 * this system prints.
 */
import { Failure } from '../failure.ts';
import { quoted } from '../text.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const maxSpanMs = 3660 * dayMs;
const unitMs: ReadonlyMap<string, number> = new Map([
  ['s', secondMs],
  ['m', minuteMs],
  ['h', hourMs],
  ['d', dayMs],
  ['w', 7 * dayMs],
]);

/**
 * Dates and RFC 3339 section 5.6 date-times; the offset, the seconds and the time may be left out, and a blank may
 * stand for `T`.
 */
const calendar =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):(\d{2}))?)?$/;
const relative = /^(\d{1,6})([smhdw])$/;

function invalid(text: string, why: string): Failure {
  return new Failure('invalid-time', {
    what: `time ${quoted(text)}`,
    why,
    next: 'write 15m, 2h, 3d or 1w (ago), today, yesterday, 2026-11-23, "2026-11-23 14:05" (UTC) or 2026-11-23T14:05:00+01:00',
  });
}

function startOfDayMs(now: Date): number {
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
}

function fromCalendar(text: string, match: RegExpExecArray): number {
  const part = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  if (year < 1970) throw invalid(text, 'it is before 1970');
  const midnight = new Date(Date.UTC(year, month - 1, day));
  // Date.UTC carries over what is too large (30 February becomes 2 March), so the parts must come back unchanged.
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day)
    throw invalid(text, 'there is no such day');
  if (hour > 23 || minute > 59 || second > 59) throw invalid(text, 'there is no such time of day');
  const [offsetHour, offsetMinute] = [part(10), part(11)];
  if (offsetHour > 23 || offsetMinute > 59) throw invalid(text, 'there is no such offset from UTC');
  const offsetMs = (match[9] === '-' ? -1 : 1) * (offsetHour * hourMs + offsetMinute * minuteMs);
  const fractionMs = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  return midnight.getTime() + hour * hourMs + minute * minuteMs + second * secondMs + fractionMs - offsetMs;
}

/**
 * A point in time for queries: RFC 3339, a day, a day and a time, a span before `now` (`15m`, `2h`, `3d`, `1w`),
 * `today` and `yesterday` (where they begin, UTC). Throws `invalid-time`.
 */
export function parseWhen(text: string, now: Date): Date {
  if (text === '') throw invalid(text, 'it is empty');
  if (text === 'today') return new Date(startOfDayMs(now));
  if (text === 'yesterday') return new Date(startOfDayMs(now) - dayMs);
  const span = relative.exec(text);
  if (span !== null) {
    const ms = now.getTime() - Number(span[1]) * (unitMs.get(span[2] ?? '') ?? Number.NaN);
    if (!(ms >= 0)) throw invalid(text, 'it is before 1970');
    return new Date(ms);
  }
  const match = calendar.exec(text);
  if (match === null) throw invalid(text, 'it is not a time');
  return new Date(fromCalendar(text, match));
}

/** A span as people type it: `30s`, `15m`, `2h`, `3d`, `1w`; in milliseconds. Throws `invalid-time`. */
export function parseSpan(text: string): number {
  const span = relative.exec(text);
  const ms = Number(span?.[1]) * (unitMs.get(span?.[2] ?? '') ?? Number.NaN);
  if (ms > 0 && ms <= maxSpanMs) return ms;
  throw new Failure('invalid-time', {
    what: `time ${quoted(text)}`,
    why: span === null ? 'it is not a span of time' : 'it is nothing, or more than ten years',
    next: 'write 30s, 15m, 2h, 3d or 1w',
  });
}

/**
 * A point in time that is to come: RFC 3339, a day, a day and a time, or a span from `now` on (`30d`). A day alone is
 * where it begins, UTC. Throws `invalid-time`.
 */
export function parseUntil(text: string, now: Date): Date {
  const next = 'write 30d, 12h or 4w (from now), 2027-01-31, "2027-01-31 14:05" (UTC) or 2027-01-31T14:05:00+01:00';
  const fault = (why: string): Failure => new Failure('invalid-time', { what: `time ${quoted(text)}`, why, next });
  const span = relative.exec(text);
  const match = calendar.exec(text);
  if (span === null && match === null) throw fault('it is not a time');
  const ms =
    span !== null
      ? now.getTime() + Number(span[1]) * (unitMs.get(span[2] ?? '') ?? Number.NaN)
      : fromCalendar(text, match as RegExpExecArray);
  if (!(ms > now.getTime())) throw fault('it is over');
  if (!(ms < Date.UTC(10_000, 0))) throw fault('it is after the year 9999');
  return new Date(ms);
}

/**
 * How long something has run, in its largest units: `3 days`, `2 h 5 min`, `5 min`, `12 s`. Spans below zero count as
 * zero.
 */
export function formatUptime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return days === 1 ? '1 day' : `${days} days`;
  if (hours > 0) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min` : `${seconds} s`;
}
