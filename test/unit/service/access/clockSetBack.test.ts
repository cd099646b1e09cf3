/** A clock that is set back by a day lengthens nothing that was measured: each lasts at most its own length again. */
import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Gate, type GateSocket } from '../../../../src/admission/gate.ts';
import { Penalties } from '../../../../src/admission/penalties.ts';
import { verbNamed } from '../../../../src/catalogue/catalogue.ts';
import { requireTouch } from '../../../../src/core/calls/safeguards.ts';
import { AuthLog } from '../../../../src/core/records/authLog.ts';
import { CountedRecords } from '../../../../src/core/records/countedRecords.ts';
import { dayMs } from '../../../../src/domain/values/duration.ts';
import { parseNetwork } from '../../../../src/domain/values/network.ts';
import { AdminStore } from '../../../../src/service/access/adminStore.ts';
import { BanStore } from '../../../../src/service/access/banStore.ts';
import { InvitationStore } from '../../../../src/service/access/invitationStore.ts';

const before = Date.parse('2026-11-24T12:00:00Z');
const setBack = before - dayMs;
const limits = {
  failedLoginMs: 5000,
  noLoginMs: 1000,
  lateMs: 10_000,
  violationMs: 10_000,
  minMs: 15_000,
  maxMs: 600_000,
  maxSources: 100,
  overflow: 'permissive',
  exempt: [],
} as const;

let folder: string;
let nowMs: number;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-clock-'));
  nowMs = before;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const now = (): Date => new Date(nowMs);
const openBans = (): Promise<BanStore> =>
  BanStore.open(join(folder, 'bans.json'), { now, maxPenaltyMs: limits.maxMs, onTrouble: () => undefined });

describe('after the clock was set back by a day', () => {
  test('a penalty of 20 seconds ends after 20 seconds', () => {
    const penalties = new Penalties(limits);
    for (let times = 0; times < 4; times++) penalties.penalise('a', 'failedLogin', before);
    expect(penalties.rejection('a', setBack)).toMatchObject({ untilMs: setBack + 20_000 });
    expect(penalties.rejection('a', setBack + 19_999)).toBeDefined();
    expect(penalties.rejection('a', setBack + 20_000)).toBeUndefined();
  });

  test('failed logins of the day to come add no more than their own time', () => {
    const penalties = new Penalties(limits);
    for (let times = 0; times < 3; times++) penalties.penalise('a', 'failedLogin', before);
    expect(penalties.penalise('a', 'noLogin', setBack)).toMatchObject({ untilMs: setBack + 16_000 });
  });

  test('a penalty and a ban that core keeps end after their own length, also for the next front', async () => {
    const bans = await openBans();
    bans.penalised({ source: '192.0.2.1', why: 'failedLogin', times: 1, untilMs: before + 20_000 });
    await bans.add(parseNetwork('198.51.100.1'), {
      forMs: 60_000,
      reason: undefined,
      by: 'carol',
    });
    nowMs = setBack;
    expect(bans.forFront().penalties).toMatchObject([{ untilMs: setBack + 20_000 }]);
    expect(bans.list()).toHaveLength(2);
    nowMs = setBack + 60_000;
    expect(bans.list()).toEqual([]);
    await bans.settled();
  });

  test('the front rejects no address for longer than the ban was to last', async () => {
    const bans = await openBans();
    await bans.add(parseNetwork('198.51.100.1'), {
      forMs: 60_000,
      reason: undefined,
      by: 'carol',
    });
    const pendingLogins = { start: 100, ratePercent: 30, full: 300, perSource: 30 };
    const gate = new Gate({ penalties: limits, pendingLogins, now: () => nowMs, onPenalty: () => undefined });
    gate.setBans(bans.bans);
    const rejected = (): string | undefined =>
      gate.admit(Object.assign(new EventEmitter(), { remoteAddress: '198.51.100.1' }) as unknown as GateSocket)?.text;
    nowMs = setBack;
    expect(rejected()).toContain('1 minute');
    nowMs = setBack + 60_000;
    expect(rejected()).toBeUndefined();
  });

  test('an invitation is open for ten minutes at most', async () => {
    const admins = await AdminStore.open(join(folder, 'admins.json'));
    const invitations = await InvitationStore.open(join(folder, 'invitations.json'), admins, now);
    await invitations.make({ kind: 'user', name: 'alice', container: 'alice-container' }, { name: 'root', root: true });
    nowMs = setBack;
    expect(invitations.all).toHaveLength(1);
    nowMs = setBack + 600_000;
    expect(invitations.all).toEqual([]);
  });

  test('the touch of a key does not count as a fresh one', () => {
    const actor = { name: 'carol', role: 'admin', entryPoint: 'manage', login: '1' } as const;
    const rule = { withinMs: 60_000, touchedAt: () => new Date(before) };
    expect(() => requireTouch(verbNamed('delete'), actor, rule, before + 59_999)).not.toThrow();
    expect(() => requireTouch(verbNamed('delete'), actor, rule, setBack)).toThrow('more than');
  });

  test('records of what clients cause are written within their minute', async () => {
    vi.useFakeTimers();
    try {
      const append = vi.fn(() => Promise.resolve());
      const records = new CountedRecords({ append, now: () => nowMs, record: () => ({ type: 'refusals' }) });
      records.add('key', 1, undefined);
      await vi.advanceTimersByTimeAsync(0);
      nowMs = setBack;
      records.add('key', 1, undefined);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(append).toHaveBeenCalledTimes(2);
    } finally {
      vi.useRealTimers();
    }
  });

  test('failed logins are logged again in the next period', () => {
    const warn = vi.fn();
    const log = new AuthLog({ warn } as never, () => nowMs);
    const counted = { source: '192.0.2.1', reason: 'key', entryPoint: 'manage', count: 600, ports: [] } as const;
    log.report({ counted: [{ ...counted, ports: Array.from({ length: 600 }, (_, port) => port + 1) }], others: {} });
    nowMs = setBack;
    warn.mockClear();
    log.report({ counted: [{ ...counted, count: 1, ports: [7] }], others: {} });
    expect(warn).toHaveBeenCalledWith({ event: 'auth-failure' }, expect.stringContaining('192.0.2.1 port 7'));
  });
});
