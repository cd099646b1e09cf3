import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RefusedLogins } from '../../../../src/front/connections/refusedLogins.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a connection whose login was refused', () => {
  it('stays open for its first session for a while, unless a hundred others do', () => {
    const refused = new RefusedLogins();
    const ended: number[] = [];
    const cancels = Array.from({ length: 101 }, (_, i) => refused.wait(() => ended.push(i)));
    expect(ended).toEqual([100]);
    // One that is closed makes room, once.
    cancels[0]?.();
    cancels[0]?.();
    for (const i of [101, 102]) refused.wait(() => ended.push(i));
    expect(ended).toEqual([100, 102]);
    vi.runAllTimers();
    expect(ended.sort((a, b) => a - b)).toEqual(Array.from({ length: 102 }, (_, i) => i + 1));
    refused.wait(() => ended.push(103));
    expect(ended).not.toContain(103);
  });
});
