import { describe, expect, it } from 'vitest';
import {
  durationInWords,
  formatUptime,
  parseSpan,
  shortDuration,
  timeLeftInWords,
} from '../../../../src/domain/values/duration.ts';
import { failing } from '../failing.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe('a duration', () => {
  it.each([
    [250, '250 milliseconds', '250ms'],
    [second, '1 second', '1s'],
    [1500, '1.5 seconds', '1.5s'],
    [12_345, '12 seconds', '12s'],
    [minute - 1, '59 seconds', '59s'],
    [65 * second, '1 minute 5 seconds', '1m 5s'],
    [8 * hour, '8 hours', '8h'],
    [2 * hour + 5 * minute + 9 * second, '2 hours 5 minutes', '2h 5m'],
    [3 * day + 7 * hour, '3 days 7 hours', '3d 7h'],
  ])('of %i ms is "%s" in a sentence and "%s" beside a step', (ms, words, short) => {
    expect([durationInWords(ms), shortDuration(ms)]).toEqual([words, short]);
  });

  it.each([
    [-5000, '1 second'],
    [0, '1 second'],
    [1, '1 second'],
    [1001, '2 seconds'],
    [minute - 1, '1 minute'],
    [minute + 1, '1 minute 1 second'],
    [hour, '1 hour'],
    [hour + 1, '1 hour 1 minute'],
    [hour + minute + 30 * second, '1 hour 2 minutes'],
    [day - 1, '1 day'],
    [2 * day + 3 * hour + 1, '2 days 4 hours'],
    [365 * day + 1, '1 year 1 day'],
  ])('of %i ms that is left is rounded up to the smallest unit shown: %s', (ms, words) => {
    expect(timeLeftInWords(ms)).toBe(words);
  });
});

describe('an uptime', () => {
  it.each([
    [-5, '1s'],
    [0, '1s'],
    [12_900, '12s'],
    [minute - 1, '59s'],
    [5 * minute + 59 * second, '5m'],
    [hour - 1, '59m'],
    [2 * hour, '2h'],
    [2 * hour + 5 * minute, '2h 5m'],
    [day - 1, '23h 59m'],
    [day, '1d'],
    [3 * day + 7 * hour, '3d 7h'],
    [400 * day, '400d'],
  ])('of %i ms is %s', (ms, text) => {
    expect(formatUptime(ms)).toBe(text);
  });
});

describe('a typed duration', () => {
  it.each([
    ['30s', 30 * second],
    ['15m', 15 * minute],
    ['2h', 2 * hour],
    ['3d', 3 * day],
    ['1w', 7 * day],
  ])('of %s is %i ms', (text, ms) => {
    expect(parseSpan(text)).toBe(ms);
  });

  it.each(['', '10', '1.5h', '-3d', '2 days', '1y', '0m', '999999w'])('is refused if it is "%s"', (text) => {
    expect(failing(() => parseSpan(text))).toMatchObject({ code: 'invalid-time' });
  });

  it.each(['99999999d', '999999999999999w'])('of %s is refused with the limit', (text) => {
    expect(failing(() => parseSpan(text))).toMatchObject({ why: 'zero, or more than ten years' });
  });
});
