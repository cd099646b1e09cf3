import { describe, expect, it } from 'vitest';
import { PendingLogins } from '../../../../src/front/admission/pendingLogins.ts';

const limits = { start: 10, ratePercent: 30, full: 100, perSource: 5 };

/** With so many open already, each of another source. */
function withOpen(count: number, random: () => number = () => 0): PendingLogins {
  const pendingLogins = new PendingLogins(limits, random);
  for (let i = 0; i < count; i++) pendingLogins.begin(`other ${i}`);
  return pendingLogins;
}

describe('connections that log in', () => {
  it('are all let in up to the start, and none from full on', () => {
    expect(withOpen(9).refusal('new', false)).toBeUndefined();
    expect(withOpen(10).refusal('new', false)).toBe('all');
    expect(withOpen(100, () => 0.999).refusal('new', false)).toBe('all');
    expect(withOpen(99, () => 0.999).refusal('new', false)).toBeUndefined();
    const abrupt = new PendingLogins({ ...limits, full: limits.start }, () => 0.999);
    for (let i = 0; i < limits.start; i++) abrupt.begin(`other ${i}`);
    expect(abrupt.refusal('new', false)).toBe('all');
  });

  it('are refused by chance in between: 30 of a hundred at the start, more with each', () => {
    const chance = (open: number): number =>
      Array.from({ length: 100 }, (_, i) => withOpen(open, () => i / 100).refusal('new', false)).filter(Boolean).length;
    expect([10, 55, 100].map(chance)).toEqual([30, 65, 100]);
  });

  it('are limited for each source, and counted when they end', () => {
    const pendingLogins = withOpen(0);
    for (let i = 0; i < 5; i++) pendingLogins.begin('a');
    expect(pendingLogins.refusal('a', false)).toBe('source');
    expect(pendingLogins.refusal('b', false)).toBeUndefined();
    pendingLogins.end('a');
    expect(pendingLogins.refusal('a', false)).toBeUndefined();
    for (let i = 0; i < 4; i++) pendingLogins.end('a');
    expect([pendingLogins.total, pendingLogins.sources]).toEqual([0, 0]);
  });

  it('have a place where somebody logged in lately, whoever else comes', () => {
    const pendingLogins = withOpen(100);
    for (let i = 0; i < 5; i++) {
      expect(pendingLogins.refusal('a', true)).toBeUndefined();
      pendingLogins.begin('a');
    }
    expect(pendingLogins.refusal('a', true)).toBe('all');
    const quiet = withOpen(0);
    for (let i = 0; i < 9; i++) quiet.begin('a');
    expect(quiet.refusal('a', true)).toBeUndefined();
  });
});
