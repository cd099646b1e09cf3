import { describe, expect, it } from 'vitest';
import { measuringPause } from '../../../../src/host/mirror/pace.ts';

describe('the pace of measurements', () => {
  it('costs less than 1 % of a core up to 500 containers with nobody watching', () => {
    for (const containers of [1, 10, 50, 150, 500]) {
      const costMs = containers * 6.4;
      expect(costMs / measuringPause(costMs, false)).toBeLessThan(0.01);
    }
  });

  it('is faster for somebody who watches, within bounds', () => {
    expect(measuringPause(1, true)).toBe(15_000);
    expect(measuringPause(1000, true)).toBe(20_000);
    expect(measuringPause(10_000, true)).toBe(60_000);
    expect(measuringPause(60_000, false)).toBe(360_000);
  });
});
