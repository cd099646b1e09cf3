/** Durations, as people read and type them. */
import prettyMs, { type Options } from 'pretty-ms';
import { Failure } from '../failure.ts';
import { quoted } from '../text.ts';

export const secondMs = 1000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** Tenths of a second matter only while there are few seconds. */
const precision = (ms: number): Options => ({ unitCount: 2, secondsDecimalDigits: ms < 10_000 ? 1 : 0 });

/** Returns a duration for a sentence: `2 hours 5 minutes`, `1.5 seconds`. */
export function durationInWords(ms: number): string {
  return prettyMs(ms, { ...precision(ms), verbose: true });
}

/**
 * Returns the time that is left, for a sentence. Rounded up to the smaller of the two units that are shown, so that
 * nobody comes back too early, and at least a second.
 */
export function timeLeftInWords(ms: number): string {
  const smallestMs = ms > 365 * dayMs ? dayMs : ms > dayMs ? hourMs : ms > hourMs ? minuteMs : secondMs;
  return durationInWords(Math.max(1, Math.ceil(ms / smallestMs)) * smallestMs);
}

/** Returns a measured duration beside what took it: `2.9s`, `1m 5s`. */
export function shortDuration(ms: number): string {
  return prettyMs(ms, precision(ms));
}

/**
 * Returns an uptime for a column: `3d 7h`, `2h 5m`, `5m`, `12s`. A clock that was set back counts as a second, and so
 * does less than a second.
 */
export function formatUptime(ms: number): string {
  return prettyMs(Math.max(ms, 1000), { hideYear: true, hideSeconds: true, secondsDecimalDigits: 0, unitCount: 2 });
}

const unitMs: ReadonlyMap<string, number> = new Map([
  ['s', secondMs],
  ['m', minuteMs],
  ['h', hourMs],
  ['d', dayMs],
  ['w', 7 * dayMs],
]);
const maxSpanMs = 3660 * dayMs;

/**
 * Reads `30s`, `15m`, `2h`, `3d` or `1w` and returns it in milliseconds, or undefined if the text is something else.
 * Not a library's parser: those also take `1.5h`, `-3d`, `2 days` and a bare `10`, which would have to be refused here.
 */
export function readSpan(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,15})([smhdw])$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * (unitMs.get(unit) ?? Number.NaN);
}

/** Reports whether {@link parseSpan} accepts a text. */
export function isSpan(text: string): boolean {
  const ms = readSpan(text);
  return ms !== undefined && ms > 0 && ms <= maxSpanMs;
}

/** Parses a duration of at most ten years and returns it in milliseconds. Throws `invalid-time`. */
export function parseSpan(text: string): number {
  const ms = readSpan(text);
  if (ms !== undefined && ms > 0 && ms <= maxSpanMs) return ms;
  throw new Failure('invalid-time', {
    what: `time ${quoted(text)}`,
    why: ms === undefined ? 'not a duration' : 'zero, or more than ten years',
    next: 'use a duration such as 30s, 15m, 2h, 3d or 1w',
  });
}
