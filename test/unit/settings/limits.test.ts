import { describe, expect, test } from 'vitest';
import { checkSettings } from '../../../src/settings/settings.ts';
import { failing } from '../domain/failing.ts';

describe('limits of the SSH server', () => {
  test.each([
    [{ pendingLogins: { start: 50, full: 40 } }, /ssh\.pendingLogins: start is more than full/],
    [{ pendingLogins: { start: 500 } }, /start is more than full/],
    [{ pendingLogins: { ratePercent: 101 } }, /ratePercent/],
    [{ penalties: { minMs: 20_000, maxMs: 10_000 } }, /ssh\.penalties: minMs is more than maxMs/],
    [{ penalties: { exempt: ['localhost'] } }, /an address or a network/],
    [{ penalties: { overflow: 'open' } }, /overflow/],
    [{ idleMs: -1 }, /idleMs/],
    [{ idle: 5 }, /idle/],
  ])('that contradict themselves are refused: %j', (ssh, why) => {
    expect(failing(() => checkSettings({ ssh }, 'test'))).toMatchObject({
      code: 'settings',
      why: expect.stringMatching(why) as string,
    });
  });

  test('have the defaults that the documentation says', () => {
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
