import { describe, expect, it } from 'vitest';
import { freshConnections, type ConnectionState } from '../../../../src/core/connections/connectionStore.ts';
import { ConnectionTracker } from '../../../../src/core/connections/tracker.ts';
import type { JumpConnection } from '../../../../src/domain/results/connections.ts';
import type { SshdLogEntry } from '../../../../src/host/sshd/log.ts';
import { accepted, closed, failed, fingerprint } from '../../../support/sshdLog.ts';

const startMs = Date.parse('2026-11-23T12:00:00.000Z');
const time = (seconds: number): string => new Date(startMs + seconds * 1000).toISOString();

interface Tracked {
  readonly tracker: ConnectionTracker;
  readonly started: JumpConnection[];
  readonly ended: JumpConnection[];
  readonly failures: { readonly user: string | null; readonly address: string }[];
  /** Processes that do not run. */
  readonly gone: Set<number>;
  /** Passes on a line of the log. */
  take(line: { readonly at: string; readonly pid: number; readonly message: string }): Promise<void>;
}

function tracked(options: { from?: ConnectionState; isRecorded?: boolean } = {}): Tracked {
  const started: JumpConnection[] = [];
  const ended: JumpConnection[] = [];
  const failures: Tracked['failures'] = [];
  const gone = new Set<number>();
  const tracker = new ConnectionTracker({
    from: options.from ?? freshConnections(),
    isJumpAccount: (user) =>
      user === 'dora' ? Promise.reject(new Error('no answer')) : Promise.resolve(user !== 'root'),
    processes: { isServing: (pid) => Promise.resolve(!gone.has(pid)) },
    records: {
      started: (connection) => {
        started.push(connection);
        return Promise.resolve(options.isRecorded ?? true);
      },
      ended: (connection) => Promise.resolve(void ended.push(connection)),
      failed: (login) => void failures.push(login),
    },
  });
  let number = 0;
  const take: Tracked['take'] = ({ at, pid, message }) => {
    const entry: SshdLogEntry = { cursor: `c${++number}`, atMs: Date.parse(at), pid, message };
    return tracker.take(entry);
  };
  return { tracker, started, ended, failures, gone, take };
}

describe('a connection', () => {
  it('is open from its login to the end of its session, and leads to the container of its user', async () => {
    const { tracker, started, ended, take } = tracked();
    await take(accepted({ at: time(0), pid: 7 }, 'alice'));
    const open = {
      user: 'alice',
      container: 'alice-container',
      address: '192.0.2.7',
      port: 42930,
      method: 'publickey',
      keyType: 'ED25519',
      fingerprint,
      startedAt: time(0),
      endedAt: null,
      durationMs: null,
      state: 'open',
    };
    expect(tracker.open()).toMatchObject([open]);
    expect(started).toMatchObject([open]);
    await take(closed({ at: time(90), pid: 7 }, 'alice'));
    expect(tracker.open()).toEqual([]);
    expect(ended).toEqual([{ ...started[0], endedAt: time(90), durationMs: 90_000, state: 'ended' }]);
  });

  it('has the same id whenever its entry is read, and another one than the next', async () => {
    const [first, again] = [tracked(), tracked()];
    for (const { take } of [first, again])
      for (const pid of [7, 8]) await take(accepted({ at: time(0), pid }, 'alice'));
    expect(again.started).toEqual(first.started);
    expect(new Set(first.started.map(({ id }) => id)).size).toBe(2);
  });

  it('does not count without a jump account', async () => {
    const { tracker, started, take } = tracked();
    await take(accepted({ at: time(0), pid: 7 }, 'root'));
    expect(tracker.open()).toEqual([]);
    expect(started).toEqual([]);
    expect(tracker.lastSeen('root')).toBeUndefined();
  });

  it('is read again later if its account is not known', async () => {
    const { tracker, take } = tracked();
    await take(closed({ at: time(0), pid: 7 }, 'alice'));
    const before = tracker.state().read;
    await expect(take(accepted({ at: time(1), pid: 7 }, 'dora'))).rejects.toThrow('no answer');
    expect(tracker.state().read).toEqual(before);
  });

  it('does not end with the session of another user or of another process', async () => {
    const { tracker, take } = tracked();
    await take(accepted({ at: time(0), pid: 7 }, 'alice'));
    await take(closed({ at: time(1), pid: 8 }, 'alice'));
    await take(closed({ at: time(1), pid: 7 }, 'bob'));
    expect(tracker.open()).toHaveLength(1);
  });

  it('that has no record of its beginning gets none of its end', async () => {
    const { tracker, ended, take } = tracked({ isRecorded: false });
    await take(accepted({ at: time(0), pid: 7 }, 'alice'));
    await take(closed({ at: time(1), pid: 7 }, 'alice'));
    expect(tracker.open()).toEqual([]);
    expect(ended).toEqual([]);
  });
});

describe('a connection whose process was killed', () => {
  it('is cut when the process is gone at two checks, at the time of the first', async () => {
    const { tracker, ended, gone, take } = tracked();
    await take(accepted({ at: time(0), pid: 7 }, 'alice'));
    await take(accepted({ at: time(0), pid: 8 }, 'bob'));
    gone.add(7);
    await tracker.check(startMs + 30_000);
    expect(ended).toEqual([]);
    await tracker.check(startMs + 60_000);
    expect(ended).toMatchObject([{ user: 'alice', endedAt: time(30), durationMs: 30_000, state: 'cut' }]);
    expect(tracker.open()).toMatchObject([{ user: 'bob' }]);
  });

  it('is cut at once if core has killed the process, and no other connection is', async () => {
    const { tracker, ended, gone, take } = tracked();
    await take(accepted({ at: time(0), pid: 7 }, 'alice'));
    await take(accepted({ at: time(0), pid: 8 }, 'alice'));
    await take(accepted({ at: time(0), pid: 9 }, 'bob'));
    for (const pid of [7, 9]) gone.add(pid);
    await tracker.cut('alice', startMs + 5000);
    expect(ended).toMatchObject([{ user: 'alice', durationMs: 5000, state: 'cut' }]);
    expect(tracker.open()).toMatchObject([{ user: 'alice' }, { user: 'bob' }]);
  });

  it('has ended normally if the log says so between the checks', async () => {
    const { tracker, ended, gone, take } = tracked();
    await take(accepted({ at: time(0), pid: 7 }, 'alice'));
    gone.add(7);
    await tracker.check(startMs + 30_000);
    await take(closed({ at: time(29), pid: 7 }, 'alice'));
    await tracker.check(startMs + 60_000);
    expect(ended).toMatchObject([{ endedAt: time(29), state: 'ended' }]);
  });

  it('is cut at the latest when another connection has its process id', async () => {
    const { tracker, ended, take } = tracked();
    await take(accepted({ at: time(0), pid: 7 }, 'alice'));
    await take(accepted({ at: time(50), pid: 7 }, 'bob'));
    expect(ended).toMatchObject([{ user: 'alice', endedAt: time(50), state: 'cut' }]);
    expect(tracker.open()).toMatchObject([{ user: 'bob' }]);
  });
});

it('the last connection of each user is remembered', async () => {
  const { tracker, take } = tracked();
  await take(accepted({ at: time(0), pid: 7 }, 'alice', '192.0.2.7'));
  await take(accepted({ at: time(9), pid: 8 }, 'alice', '192.0.2.8'));
  await take(closed({ at: time(20), pid: 8 }, 'alice'));
  expect(tracker.lastSeen('alice')).toEqual({ at: time(9), address: '192.0.2.8', fingerprint });
  expect(tracker.lastSeen('bob')).toBeUndefined();
});

it('a failed login counts for the account only if it is a jump account', async () => {
  const { failures, take } = tracked();
  await take(failed({ at: time(0), pid: 7 }, 'alice', '192.0.2.7', 'authenticating'));
  await take(failed({ at: time(0), pid: 8 }, 'root', '192.0.2.8', 'authenticating'));
  await take(failed({ at: time(0), pid: 9 }, 'alice from 9.9.9.9', '192.0.2.9', 'invalid'));
  expect(failures).toEqual([
    { user: 'alice', address: '192.0.2.7' },
    { user: null, address: '192.0.2.8' },
    { user: null, address: '192.0.2.9' },
  ]);
});

it('a tracker goes on from the state of the one before', async () => {
  const before = tracked();
  await before.take(accepted({ at: time(0), pid: 7 }, 'alice'));
  const from = { ...freshConnections(), ...before.tracker.state() };
  expect(from.read).toEqual({ cursor: 'c1', at: time(0) });
  const after = tracked({ from: JSON.parse(JSON.stringify(from)) as ConnectionState });
  expect(after.tracker.open()).toEqual(before.tracker.open());
  expect(after.tracker.lastSeen('alice')).toEqual(before.tracker.lastSeen('alice'));
  await after.take(closed({ at: time(5), pid: 7 }, 'alice'));
  expect(after.ended).toMatchObject([{ id: before.started[0]?.id, durationMs: 5000 }]);
});
