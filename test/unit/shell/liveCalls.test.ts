import { beforeEach, describe, expect, it } from 'vitest';
import { LiveCalls } from '../../../src/shell/model/liveCalls.ts';

let calls: LiveCalls;
let acted: string[];
beforeEach(() => {
  calls = new LiveCalls();
  acted = [];
});

function add(id: string, does: 'stop' | 'cancel' = 'cancel'): void {
  const ctrlC = { does, act: () => void acted.push(id) };
  calls.add({ id, title: id, verb: 'create', target: id, own: true, startedMs: 0, ctrlC });
}

describe('Ctrl-C while several calls run', () => {
  it('is about the newest', () => {
    add('first');
    add('second');
    expect(calls.interruptible?.id).toBe('second');
    expect(calls.interrupt(0)).toBe(true);
    expect(acted).toEqual(['second']);
  });

  it('pressed fast is about that one alone, and later about the next', () => {
    add('first');
    add('second');
    calls.interrupt(0);
    calls.leave('second');
    expect(calls.interrupt(300)).toBe(true);
    expect(acted).toEqual(['second']);
    expect(calls.interrupt(2000)).toBe(true);
    expect(acted).toEqual(['second', 'first']);
  });

  it('pressed fast stops one reading call after the other', () => {
    add('first', 'stop');
    add('second', 'stop');
    calls.interrupt(0);
    calls.remove('second');
    calls.interrupt(10);
    expect(acted).toEqual(['second', 'first']);
  });

  it('is about none once the shell is about to end', () => {
    add('first');
    calls.forgetCancels();
    expect(calls.interrupt(0)).toBe(false);
  });
});
