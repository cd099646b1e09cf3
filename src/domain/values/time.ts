/** Times, as people type them. A time without an offset is UTC, like all times that this system prints. */
import { Failure } from '../failure.ts';
import { quoted } from '../text.ts';
import { dayMs, hourMs, minuteMs, readSpan, secondMs } from './duration.ts';

/**
 * Dates and the date-times of RFC 3339 section 5.6. The offset, the seconds and the time are optional, and a space may
 * replace the `T`.
 */
const calendar =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):(\d{2}))?)?$/;

function invalid(text: string, why: string): Failure {
  return new Failure('invalid-time', {
    what: `time ${quoted(text)}`,
    why,
    next: 'use 15m, 2h, 3d or 1w (ago), today, yesterday, 2026-11-23, 2026-11-23T14:05 (UTC) or 2026-11-23T14:05:00+01:00',
  });
}

function startOfDayMs(now: Date): number {
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
}

function fromCalendar(text: string, match: RegExpExecArray): number {
  const part = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  if (year < 1970) throw invalid(text, 'before 1970');
  const midnight = new Date(Date.UTC(year, month - 1, day));
  // Date.UTC accepts days that do not exist (30 February becomes 2 March), so compare the result with the input.
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) throw invalid(text, 'no such day');
  if (hour > 23 || minute > 59 || second > 59) throw invalid(text, 'no such time of day');
  const [offsetHour, offsetMinute] = [part(10), part(11)];
  if (offsetHour > 23 || offsetMinute > 59) throw invalid(text, 'no such offset from UTC');
  const offsetMs = (match[9] === '-' ? -1 : 1) * (offsetHour * hourMs + offsetMinute * minuteMs);
  const fractionMs = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  return midnight.getTime() + hour * hourMs + minute * minuteMs + second * secondMs + fractionMs - offsetMs;
}

/**
 * Parses a time for a query: RFC 3339, a date, a date and a time, a duration before `now` (`15m`, `2h`, `3d`, `1w`),
 * or `today` and `yesterday`, which mean midnight UTC. Throws `invalid-time`.
 */
export function parseWhen(text: string, now: Date): Date {
  if (text === '') throw invalid(text, 'empty');
  if (text === 'today') return new Date(startOfDayMs(now));
  if (text === 'yesterday') return new Date(startOfDayMs(now) - dayMs);
  const span = readSpan(text);
  if (span !== undefined) {
    const ms = now.getTime() - span;
    if (ms < 0) throw invalid(text, 'before 1970');
    return new Date(ms);
  }
  const match = calendar.exec(text);
  if (match === null) throw invalid(text, 'not a time');
  return new Date(fromCalendar(text, match));
}

/** Refuses a time range in which nothing can be. Throws `invalid-time`. */
export function ensureRange(since: Date | undefined, until: Date | undefined, now: Date): void {
  if (since === undefined) return;
  const end = until !== undefined && until < now ? until : now;
  if (since <= end) return;
  throw new Failure('invalid-time', {
    what: 'the time range',
    why: `it is empty: it begins at ${since.toISOString()}, ${end === now ? 'in the future' : `after its end at ${end.toISOString()}`}`,
    next: 'give a --since that is before --until and in the past',
  });
}

/**
 * Parses a time in the future: RFC 3339, a date, a date and a time, or a duration from `now` (`30d`). A date alone
 * means its midnight UTC. Throws `invalid-time`.
 */
export function parseUntil(text: string, now: Date): Date {
  const next = 'use 30d, 12h or 4w (from now), 2027-01-31, 2027-01-31T14:05 (UTC) or 2027-01-31T14:05:00+01:00';
  const fault = (why: string): Failure => new Failure('invalid-time', { what: `time ${quoted(text)}`, why, next });
  const span = readSpan(text);
  const match = calendar.exec(text);
  if (span === undefined && match === null) throw fault('not a time');
  const ms = span === undefined ? fromCalendar(text, match as RegExpExecArray) : now.getTime() + span;
  if (ms <= now.getTime()) throw fault('in the past');
  if (ms >= Date.UTC(10_000, 0)) throw fault('after the year 9999');
  return new Date(ms);
}
