/** Output that clients leave unread: who is counted together, and whose connection ends. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnreadOutputs, type UnreadOutput } from '../../../src/connectionLimits/unreadOutput.ts';

const mib = 2 ** 20;
const limits = { all: 40 * mib, ofOwners: 20 * mib, perAdmin: 16 * mib, perOwner: 8 * mib };
const admin = (name: string) => ({ name, entryPoint: 'manage' }) as const;
const owner = (name: string) => ({ name, entryPoint: 'self' }) as const;

let outputs: UnreadOutputs;
let ended: string[];
let reasons: string[];

beforeEach(() => {
  vi.useFakeTimers();
  outputs = new UnreadOutputs({ unreadMs: 60_000, limits });
  ended = [];
  reasons = [];
});
afterEach(() => {
  vi.useRealTimers();
});

/** Opens a connection. Its name is told when it ends. */
function open(name: string, actor: ReturnType<typeof admin> | ReturnType<typeof owner> = admin('carol')): UnreadOutput {
  const end = (how: string) => (reason: string) => {
    ended.push(`${name} ${how}`);
    reasons.push(reason);
  };
  const output = outputs.open({ stalled: end('stalled'), full: end('full') });
  output.belongsTo(actor);
  return output;
}

describe('unread output', () => {
  it('ends a connection that has more than half of what its person may leave unread', () => {
    const output = open('a');
    output.add(8 * mib);
    expect(ended).toEqual([]);
    output.add(1);
    expect(ended).toEqual(['a full']);
    expect(reasons).toEqual(['9 MiB of output are unread: read them, or close the connections']);
  });

  it('of one person over all connections ends the one that took nothing for the longest time', () => {
    const [slow, stuck, third] = [open('slow'), open('stuck'), open('third')];
    slow.add(8 * mib);
    stuck.add(6 * mib);
    vi.advanceTimersByTime(1000);
    slow.progressed();
    vi.advanceTimersByTime(1000);
    third.add(2 * mib);
    expect(ended).toEqual([]);
    third.add(1);
    expect(ended).toEqual(['stuck full']);
    // What it left is no longer counted.
    third.add(6 * mib - 1);
    expect(ended).toEqual(['stuck full']);
  });

  it('counts no longer what was read, and what a closed connection had', () => {
    const [a, b] = [open('a'), open('b')];
    for (let i = 0; i < 10; i++) {
      a.add(8 * mib);
      b.add(8 * mib);
      a.taken(8 * mib);
      b.taken(8 * mib);
    }
    a.add(8 * mib);
    a.close();
    a.add(mib);
    b.add(8 * mib);
    open('c').add(8 * mib);
    expect(ended).toEqual([]);
  });

  it('that waited before the login is known counts from then on', () => {
    const early = outputs.open({ stalled: () => undefined, full: () => ended.push('early full') });
    early.add(9 * mib);
    expect(ended).toEqual([]);
    early.belongsTo(admin('carol'));
    expect(ended).toEqual(['early full']);
  });

  it('tells the channels of the connection to drop it', () => {
    const output = open('a');
    const [drop, closed] = [vi.fn(), vi.fn()];
    output.onFull(drop);
    output.onFull(closed);
    output.offFull(closed);
    output.add(9 * mib);
    expect([drop.mock.calls.length, closed.mock.calls.length]).toEqual([1, 0]);
  });

  it('of all owners together ends connections of the one who leaves most, and of no admin', () => {
    open('admin').add(8 * mib);
    const heavy = [open('heavy', owner('bob')), open('heavy too', owner('bob'))];
    for (const output of heavy) output.add(4 * mib);
    for (const name of ['dan', 'erin']) open(name, owner(name)).add(4 * mib);
    expect(ended).toEqual([]);
    open('fay', owner('fay')).add(4 * mib);
    vi.advanceTimersByTime(1);
    open('gus', owner('gus')).add(mib);
    expect(ended).toEqual(['heavy full']);
  });

  it('of everybody together leaves each person a little', () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) open(name, admin(name)).add(8 * mib);
    open('f', admin('f')).add(mib);
    expect(ended).toEqual(['a full']);
    const many = Array.from({ length: 60 }, (_, i) => open(`small ${i}`, admin(`small ${i}`)));
    for (const output of many) output.add(mib);
    expect(ended.filter((end) => /small|^f/.test(end))).toEqual([]);
  });

  it('ends a connection that took nothing for the time limit, and not one that reads slowly', () => {
    const [stuck, slow] = [open('stuck'), open('slow')];
    stuck.add(10);
    slow.add(10_000);
    for (let s = 0; s < 300; s += 30) {
      vi.advanceTimersByTime(30_000);
      slow.taken(1);
    }
    vi.runOnlyPendingTimers();
    expect(ended).toEqual(['stuck stalled']);
    expect(reasons).toEqual(['none of the waiting output was read for 1 minute']);
  });

  it('does not begin the time limit while nothing waits', () => {
    const output = open('idle');
    vi.advanceTimersByTime(590_000);
    output.add(10);
    vi.advanceTimersByTime(50_000);
    expect(ended).toEqual([]);
    output.taken(10);
    vi.advanceTimersByTime(600_000);
    expect(ended).toEqual([]);
  });
});
