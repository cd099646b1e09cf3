import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { Gate, type GateSocket } from '../../../../src/front/admission/gate.ts';
import type { BegunPenalty } from '../../../../src/front/admission/penalties.ts';

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

/** A connection: refused, or open until it is closed. */
function connect(address: string) {
  const socket = Object.assign(new EventEmitter(), { remoteAddress: address });
  return {
    refused: gate.admit(socket as unknown as GateSocket)?.text,
    tell: (...events: string[]) => events.forEach((event) => socket.emit(event)),
  };
}

/** Connections one after the other; how many were let in. */
function several(address: string, count: number, ...events: string[]): number {
  return Array.from({ length: count }, () => {
    const { refused, tell } = connect(address);
    if (refused === undefined) tell(...events, 'close');
    return refused;
  }).filter((refused) => refused === undefined).length;
}

describe('the gate', () => {
  it('refuses a source after failed logins, says why and for how long, and nobody else', () => {
    expect(several('192.0.2.1', 20, 'attempt', 'attempt')).toBe(4);
    expect(connect('192.0.2.1').refused).toBe('Too many failed logins from this address: try again in 20 s.');
    expect(connect('::ffff:192.0.2.1').refused).toBeDefined();
    expect(connect('192.0.2.2').refused).toBeUndefined();
    nowMs += 20_000;
    expect(several('192.0.2.1', 20, 'attempt')).toBe(4);
    expect(connect('192.0.2.1').refused).toMatch(/in 40 s\.$/);
    expect(begun.map(({ source, times }) => [source, times])).toEqual([
      ['192.0.2.1', 1],
      ['192.0.2.1', 2],
    ]);
  });

  it('takes a /64 of IPv6 for one source', () => {
    expect(several('2001:db8::1', 4, 'attempt')).toBe(4);
    expect(connect('2001:db8::abcd').refused).toBeDefined();
    expect(connect('2001:db8:0:1::1').refused).toBeUndefined();
    expect(begun[0]?.source).toBe('2001:db8::/64');
  });

  it('counts what was worst: a broken protocol, a login in no time, an attempt, none', () => {
    expect(several('192.0.2.1', 20, 'violation')).toBe(2);
    expect(several('192.0.2.2', 20, 'attempt', 'late')).toBe(2);
    expect(several('192.0.2.4', 20, 'late', 'attempt')).toBe(2);
    expect(several('192.0.2.3', 20)).toBe(16);
    expect(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) => connect(address).refused)).toEqual([
      'Too many connections that broke the protocol from this address: try again in 20 s.',
      'Too many connections that did not log in in time from this address: try again in 20 s.',
      'Too many connections without a login from this address: try again in 16 s.',
    ]);
  });

  it('never penalises logins, however many, nor what the server ended itself', () => {
    expect(several('192.0.2.1', 500, 'attempt', 'authenticated')).toBe(500);
    expect(several('192.0.2.1', 500, 'attempt', 'forgiven')).toBe(500);
  });

  it('neither penalises nor refuses a source that somebody is logged in from', () => {
    const [half, inside] = [connect('192.0.2.1'), connect('192.0.2.1')];
    inside.tell('authenticated');
    expect(several('192.0.2.1', 100, 'attempt')).toBe(100);
    inside.tell('close');
    expect(several('192.0.2.1', 100, 'attempt')).toBe(4);
    half.tell('authenticated');
    expect(connect('192.0.2.1').refused).toBeUndefined();
  });

  it('spares exempt networks, but not from bans', () => {
    expect(several('10.1.2.3', 500, 'attempt')).toBe(500);
    expect(begun).toEqual([]);
    // Nor is one refused by a penalty from before it was exempt.
    gate.restore([{ source: '10.1.2.3', why: 'failedLogin', times: 1, untilMs: nowMs + 60_000 }]);
    expect(connect('10.1.2.3').refused).toBeUndefined();
    gate.setBans([{ network: '10.0.0.0/8', reason: null, by: 'carol', at: '', until: null }]);
    expect(connect('10.1.2.3').refused).toBe('This address is banned: an admin of this host can lift that.');
  });

  it('refuses who is banned, with the reason, until the ban ends', () => {
    gate.setBans([
      {
        network: '192.0.2.0/24',
        reason: 'scans\x1b[2J',
        by: 'carol',
        at: '',
        until: new Date(nowMs + 3_600_000).toISOString(),
      },
    ]);
    expect(connect('192.0.2.77').refused).toBe('This address is banned (scans\\u{1b}[2J): try again in 1 h.');
    expect(connect('192.0.3.77').refused).toBeUndefined();
    nowMs += 3_600_000;
    expect(connect('192.0.2.77').refused).toBeUndefined();
  });

  it('forgets a penalty that is lifted, and knows one from before', () => {
    several('192.0.2.1', 4, 'attempt');
    gate.lift('192.0.2.1');
    expect(connect('192.0.2.1').refused).toBeUndefined();
    gate.restore([{ source: '192.0.2.9', why: 'failedLogin', times: 1, untilMs: nowMs + 60_000 }]);
    expect(connect('192.0.2.9').refused).toMatch(/1 min\.$/);
  });

  it('limits connections that log in, for each source, and frees their places', () => {
    const open = Array.from({ length: 31 }, () => connect('192.0.2.1'));
    expect(open.map(({ refused }) => refused).filter(Boolean)).toEqual([
      'Too many connections from this address are logging in: try again in a moment.',
    ]);
    open[0]?.tell('authenticated');
    expect(connect('192.0.2.1').refused).toBeUndefined();
    open[1]?.tell('forgiven', 'close');
    expect(connect('192.0.2.1').refused).toBeUndefined();
  });

  it('lets nobody in whose address is not known, because it is gone already', () => {
    const gone = new EventEmitter();
    expect(gate.admit(gone as unknown as GateSocket)).toMatchObject({ source: '' });
    expect(gone.eventNames()).toEqual([]);
  });
});

describe('a source that somebody logged in from', () => {
  /** With no room for anybody who is not known. */
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
    expect(connection.refused).toBeUndefined();
    connection.tell('authenticated');
    return connection;
  }

  it('has a place of its own while the login lasts and for an hour after it', () => {
    const login = logIn('192.0.2.1');
    connect('192.0.2.99');
    expect(connect('192.0.2.2').refused).toBe('Too many connections are logging in: try again in a moment.');
    nowMs += 10 * hourMs;
    expect(connect('192.0.2.1').refused).toBeUndefined();
    login.tell('close');
    nowMs += hourMs - 1;
    expect(connect('192.0.2.1').refused).toBeUndefined();
    nowMs += 1;
    expect(connect('192.0.2.1').refused).toBe('Too many connections are logging in: try again in a moment.');
  });

  it('is one of 10,000 that are remembered, and forgotten only when nobody is logged in from it any more', () => {
    logIn('192.0.2.1');
    logIn('192.0.2.2').tell('close');
    for (let i = 0; i < 10_000; i++) logIn(`10.9.${i >> 8}.${i & 255}`).tell('close');
    connect('192.0.2.99');
    expect(connect('192.0.2.1').refused).toBeUndefined();
    expect(connect('10.9.39.15').refused).toBeUndefined();
    expect(connect('192.0.2.2').refused).toBeDefined();
  });
});
