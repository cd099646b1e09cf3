import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWhen } from '../../../../src/domain/values/time.ts';
import { failing } from '../failing.ts';

const now = new Date('2026-11-23T14:05:30.250Z');

describe('parseWhen', () => {
  it.each([
    ['2026-11-23T14:05:00Z', '2026-11-23T14:05:00.000Z'],
    ['2026-11-23t14:05:00z', '2026-11-23T14:05:00.000Z'],
    ['2026-11-23T14:05:00+01:00', '2026-11-23T13:05:00.000Z'],
    ['2026-11-23T23:30:00-05:30', '2026-11-24T05:00:00.000Z'],
    ['2026-11-23T14:05:00.1239Z', '2026-11-23T14:05:00.123Z'],
    ['2026-11-23T14:05:00.5Z', '2026-11-23T14:05:00.500Z'],
    ['2026-11-23 14:05:00+01:00', '2026-11-23T13:05:00.000Z'],
    ['2026-11-23T14:05', '2026-11-23T14:05:00.000Z'],
    ['2026-11-23 14:05', '2026-11-23T14:05:00.000Z'],
    ['2026-11-23 14:05:09', '2026-11-23T14:05:09.000Z'],
    ['2026-11-23', '2026-11-23T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2030-01-01', '2030-01-01T00:00:00.000Z'],
    ['30s', '2026-11-23T14:05:00.250Z'],
    ['15m', '2026-11-23T13:50:30.250Z'],
    ['2h', '2026-11-23T12:05:30.250Z'],
    ['3d', '2026-11-20T14:05:30.250Z'],
    ['1w', '2026-11-16T14:05:30.250Z'],
    ['0m', '2026-11-23T14:05:30.250Z'],
    ['today', '2026-11-23T00:00:00.000Z'],
    ['yesterday', '2026-11-22T00:00:00.000Z'],
  ])('reads %s', (text, iso) => {
    expect(parseWhen(text, now).toISOString()).toBe(iso);
  });

  it('reads yesterday across the end of a year', () => {
    expect(parseWhen('yesterday', new Date('2027-01-01T00:00:00Z')).toISOString()).toBe('2026-12-31T00:00:00.000Z');
  });

  it.each([
    ['', 'empty'],
    ['2026-02-29', 'no such day'],
    ['2026-13-01', 'no such day'],
    ['2026-00-10', 'no such day'],
    ['2026-04-31', 'no such day'],
    ['2026-11-23 24:00', 'no such time'],
    ['2026-11-23T14:60:00Z', 'no such time'],
    ['2026-11-23T14:05:60Z', 'no such time'],
    ['2026-11-23T14:05:00+24:00', 'no such offset'],
    ['1969-12-31', 'before 1970'],
    ['999999w', 'before 1970'],
    ['9999999999999999m', 'not a time'],
    ['15', 'not a time'],
    ['-15m', 'not a time'],
    ['15 m', 'not a time'],
    ['15M', 'not a time'],
    ['tomorrow', 'not a time'],
    ['23.11.2026', 'not a time'],
    ['2026-11-23\n', 'not a time'],
    ['2026-11-23T', 'not a time'],
    ['1763906700', 'not a time'],
  ])('refuses %j with the reason "%s"', (text, why) => {
    const failure = failing(() => parseWhen(text, now));
    expect(failure.code).toBe('invalid-time');
    expect(failure.why).toContain(why);
    expect(failure.next).toContain('15m, 2h, 3d');
  });

  it('reads back every time that this system prints', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
        (date) => {
          expect(parseWhen(date.toISOString(), now)).toEqual(date);
          expect(parseWhen(date.toISOString().slice(0, 10), now).getTime()).toBeLessThanOrEqual(date.getTime());
        },
      ),
    );
  });
});
