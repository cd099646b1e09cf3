import { describe, expect, test } from 'vitest';
import { checkSettings } from '../../../src/settings/settings.ts';
import { failing } from '../domain/failing.ts';

describe('settings of the SSH server', () => {
  test.each([
    [{ pendingLogins: { start: 50, full: 40 } }, /ssh\.pendingLogins: start is greater than full/],
    [{ pendingLogins: { start: 500 } }, /start is greater than full/],
    [{ pendingLogins: { ratePercent: 101 } }, /ratePercent/],
    [{ penalties: { minMs: 20_000, maxMs: 10_000 } }, /ssh\.penalties: minMs is greater than maxMs/],
    [{ penalties: { exempt: ['localhost'] } }, /an address or a network/],
    [{ penalties: { overflow: 'open' } }, /overflow/],
    [{ idleMs: -1 }, /idleMs/],
    [{ idle: 5 }, /idle/],
  ])('are refused if they are invalid or contradictory: %j', (ssh, why) => {
    expect(failing(() => checkSettings({ ssh }, 'test'))).toMatchObject({
      code: 'settings',
      why: expect.stringMatching(why) as string,
    });
  });

  test('have the documented defaults', () => {
    expect(checkSettings({}, 'test').ssh).toMatchObject({
      pendingLogins: { start: 100, ratePercent: 30, full: 300, perSource: 30 },
      penalties: {
        failedLoginMs: 5000,
        noLoginMs: 1000,
        lateMs: 10_000,
        minMs: 15_000,
        maxMs: 600_000,
        maxSources: 65_536,
        overflow: 'permissive',
        exempt: [],
      },
      unusedMs: 900_000,
      maxSessionMs: 0,
    });
    expect(
      checkSettings({ ssh: { pendingLogins: { start: 40, full: 40 }, idleMs: 0 } }, 'test').ssh.pendingLogins,
    ).toMatchObject({ start: 40, full: 40, perSource: 30 });
  });
});
