import { describe, expect, it } from 'vitest';
import { PendingLogins } from '../../../src/admission/pendingLogins.ts';

const limits = { start: 10, ratePercent: 30, full: 100, perSource: 5 };

/** Returns limits under which `count` logins are pending, each from another source. */
function withOpen(count: number, random: () => number = () => 0): PendingLogins {
  const pendingLogins = new PendingLogins(limits, random);
  for (let i = 0; i < count; i++) pendingLogins.begin(`other ${i}`);
  return pendingLogins;
}

describe('pending logins', () => {
  it('are all admitted below start and none at full', () => {
    expect(withOpen(9).rejection('new', false)).toBeUndefined();
    expect(withOpen(10).rejection('new', false)).toBe('all');
    expect(withOpen(100, () => 0.999).rejection('new', false)).toBe('all');
    expect(withOpen(99, () => 0.999).rejection('new', false)).toBeUndefined();
    const abrupt = new PendingLogins({ ...limits, full: limits.start }, () => 0.999);
    for (let i = 0; i < limits.start; i++) abrupt.begin(`other ${i}`);
    expect(abrupt.rejection('new', false)).toBe('all');
  });

  it('are rejected at random between start and full: 30 percent at start, rising to all at full', () => {
    const chance = (open: number): number =>
      Array.from({ length: 100 }, (_, i) => withOpen(open, () => i / 100).rejection('new', false)).filter(Boolean)
        .length;
    expect([10, 55, 100].map(chance)).toEqual([30, 65, 100]);
  });

  it('are limited for each source, and free their slot when they end', () => {
    const pendingLogins = withOpen(0);
    for (let i = 0; i < 5; i++) pendingLogins.begin('a');
    expect(pendingLogins.rejection('a', false)).toBe('source');
    expect(pendingLogins.rejection('b', false)).toBeUndefined();
    pendingLogins.end('a');
    expect(pendingLogins.rejection('a', false)).toBeUndefined();
    for (let i = 0; i < 4; i++) pendingLogins.end('a');
    expect([pendingLogins.total, pendingLogins.sources]).toEqual([0, 0]);
  });

  it('have reserved slots at a source with a recent login, however many other sources connect', () => {
    const pendingLogins = withOpen(100);
    for (let i = 0; i < 5; i++) {
      expect(pendingLogins.rejection('a', true)).toBeUndefined();
      pendingLogins.begin('a');
    }
    expect(pendingLogins.rejection('a', true)).toBe('all');
    const quiet = withOpen(0);
    for (let i = 0; i < 9; i++) quiet.begin('a');
    expect(quiet.rejection('a', true)).toBeUndefined();
  });
});
