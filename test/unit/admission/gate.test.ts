import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { Gate, type GateSocket } from '../../../src/admission/gate.ts';
import type { BegunPenalty } from '../../../src/admission/penalties.ts';

const penalties = {
  failedLoginMs: 5000,
  noLoginMs: 1000,
  lateMs: 10_000,
  violationMs: 10_000,
  minMs: 15_000,
  maxMs: 600_000,
  maxSources: 1000,
  overflow: 'permissive',
  exempt: ['10.0.0.0/8'],
} as const;
const pendingLogins = { start: 100, ratePercent: 30, full: 300, perSource: 30 };

let nowMs: number;
let begun: BegunPenalty[];
let gate: Gate;

beforeEach(() => {
  nowMs = Date.parse('2026-11-24T12:00:00Z');
  begun = [];
  gate = new Gate({ penalties, pendingLogins, now: () => nowMs, onPenalty: (penalty) => begun.push(penalty) });
});

/** Opens a connection; it stays open unless the gate rejects it. */
function connect(address: string) {
  const socket = Object.assign(new EventEmitter(), { remoteAddress: address });
  return {
    rejected: gate.admit(socket as unknown as GateSocket)?.text,
    emit: (...events: string[]) => events.forEach((event) => socket.emit(event)),
  };
}

/** Opens connections one after another; returns how many were admitted. */
function several(address: string, count: number, ...events: string[]): number {
  return Array.from({ length: count }, () => {
    const { rejected, emit } = connect(address);
    if (rejected === undefined) emit(...events, 'close');
    return rejected;
  }).filter((rejected) => rejected === undefined).length;
}

describe('the gate', () => {
  it('rejects a source after failed logins, and no other source, and says why and for how long', () => {
    expect(several('192.0.2.1', 20, 'attempt', 'attempt')).toBe(4);
    expect(connect('192.0.2.1').rejected).toBe('Too many failed logins from this address: try again in 20 seconds.');
    expect(connect('::ffff:192.0.2.1').rejected).toBeDefined();
    expect(connect('192.0.2.2').rejected).toBeUndefined();
    nowMs += 20_000;
    expect(several('192.0.2.1', 20, 'attempt')).toBe(4);
    expect(connect('192.0.2.1').rejected).toMatch(/in 40 seconds\.$/);
    expect(begun.map(({ source, times }) => [source, times])).toEqual([
      ['192.0.2.1', 1],
      ['192.0.2.1', 2],
    ]);
  });

  it('counts an IPv6 /64 as one source', () => {
    expect(several('2001:db8::1', 4, 'attempt')).toBe(4);
    expect(connect('2001:db8::abcd').rejected).toBeDefined();
    expect(connect('2001:db8:0:1::1').rejected).toBeUndefined();
    expect(begun[0]?.source).toBe('2001:db8::/64');
  });

  it('counts the worst outcome of a connection: protocol violation, timeout, failed login, no login', () => {
    expect(several('192.0.2.1', 20, 'violation')).toBe(2);
    expect(several('192.0.2.2', 20, 'attempt', 'late')).toBe(2);
    expect(several('192.0.2.4', 20, 'late', 'attempt')).toBe(2);
    expect(several('192.0.2.3', 20)).toBe(16);
    expect(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) => connect(address).rejected)).toEqual([
      'Too many protocol violations from this address: try again in 20 seconds.',
      'Too many login timeouts from this address: try again in 20 seconds.',
      'Too many connections without a login from this address: try again in 16 seconds.',
    ]);
  });

  it('never penalises logins, however many, or connections that the server itself ended', () => {
    expect(several('192.0.2.1', 500, 'attempt', 'authenticated')).toBe(500);
    expect(several('192.0.2.1', 500, 'attempt', 'forgiven')).toBe(500);
  });

  it('neither penalises nor rejects a source with an open login', () => {
    const [pending, login] = [connect('192.0.2.1'), connect('192.0.2.1')];
    login.emit('authenticated');
    expect(several('192.0.2.1', 100, 'attempt')).toBe(100);
    login.emit('close');
    expect(several('192.0.2.1', 100, 'attempt')).toBe(4);
    pending.emit('authenticated');
    expect(connect('192.0.2.1').rejected).toBeUndefined();
  });

  it('exempts networks from penalties, but not from bans', () => {
    expect(several('10.1.2.3', 500, 'attempt')).toBe(500);
    expect(begun).toEqual([]);
    // A penalty from before the exemption does not apply either.
    gate.restore([{ source: '10.1.2.3', why: 'failedLogin', times: 1, untilMs: nowMs + 60_000 }]);
    expect(connect('10.1.2.3').rejected).toBeUndefined();
    gate.setBans([{ network: '10.0.0.0/8', reason: null, by: 'carol', at: '', until: null }]);
    expect(connect('10.1.2.3').rejected).toBe('This address is banned: an admin of this host can lift the ban.');
  });

  it('rejects a banned address, with the reason, until the ban ends', () => {
    gate.setBans([
      {
        network: '192.0.2.0/24',
        reason: 'scans\x1b[2J',
        by: 'carol',
        at: '',
        until: new Date(nowMs + 3_600_000).toISOString(),
      },
    ]);
    expect(connect('192.0.2.77').rejected).toBe('This address is banned (scans\\u{1b}[2J): try again in 1 hour.');
    expect(connect('192.0.3.77').rejected).toBeUndefined();
    nowMs += 3_600_000;
    expect(connect('192.0.2.77').rejected).toBeUndefined();
  });

  it('forgets a lifted penalty and restores one from before a restart', () => {
    several('192.0.2.1', 4, 'attempt');
    gate.lift('192.0.2.1');
    expect(connect('192.0.2.1').rejected).toBeUndefined();
    gate.restore([{ source: '192.0.2.9', why: 'failedLogin', times: 1, untilMs: nowMs + 60_000 }]);
    expect(connect('192.0.2.9').rejected).toMatch(/1 minute\.$/);
  });

  it('limits the pending logins of a source and frees a slot when one ends', () => {
    const open = Array.from({ length: 31 }, () => connect('192.0.2.1'));
    expect(open.map(({ rejected }) => rejected).filter(Boolean)).toEqual([
      'Too many connections from this address are logging in: try again in a moment.',
    ]);
    open[0]?.emit('authenticated');
    expect(connect('192.0.2.1').rejected).toBeUndefined();
    open[1]?.emit('forgiven', 'close');
    expect(connect('192.0.2.1').rejected).toBeUndefined();
  });

  it('rejects a connection without an address, which has closed already', () => {
    const gone = new EventEmitter();
    expect(gate.admit(gone as unknown as GateSocket)).toMatchObject({ source: '' });
    expect(gone.eventNames()).toEqual([]);
  });
});

describe('a source with a recent login', () => {
  // One pending login fills the server for every other source.
  beforeEach(() => {
    gate = new Gate({
      penalties,
      pendingLogins: { start: 1, ratePercent: 100, full: 1, perSource: 30 },
      now: () => nowMs,
      onPenalty: (penalty) => begun.push(penalty),
    });
  });

  const hourMs = 3_600_000;
  function logIn(address: string): ReturnType<typeof connect> {
    const connection = connect(address);
    expect(connection.rejected).toBeUndefined();
    connection.emit('authenticated');
    return connection;
  }

  it('keeps reserved slots while the login lasts and for an hour after it', () => {
    const login = logIn('192.0.2.1');
    connect('192.0.2.99');
    expect(connect('192.0.2.2').rejected).toBe('Too many connections are logging in: try again in a moment.');
    nowMs += 10 * hourMs;
    expect(connect('192.0.2.1').rejected).toBeUndefined();
    login.emit('close');
    nowMs += hourMs - 1;
    expect(connect('192.0.2.1').rejected).toBeUndefined();
    nowMs += 1;
    expect(connect('192.0.2.1').rejected).toBe('Too many connections are logging in: try again in a moment.');
  });

  it('is one of 10,000 remembered, and is not forgotten while a login is open', () => {
    logIn('192.0.2.1');
    logIn('192.0.2.2').emit('close');
    for (let i = 0; i < 10_000; i++) logIn(`10.9.${i >> 8}.${i & 255}`).emit('close');
    connect('192.0.2.99');
    expect(connect('192.0.2.1').rejected).toBeUndefined();
    expect(connect('10.9.39.15').rejected).toBeUndefined();
    expect(connect('192.0.2.2').rejected).toBeDefined();
  });
});
