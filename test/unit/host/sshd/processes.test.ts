import { describe, expect, it } from 'vitest';
import { realSshdProcesses, wasServing } from '../../../../src/host/sshd/processes.ts';

const bootedMs = Date.parse('2026-11-23T00:00:00Z');
/** A line of /proc/PID/stat of a process that began 100 s after the boot. */
const stat = (name: string): string =>
  `71507 (${name}) S 71503 71507 71507 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 10000 1 2\n`;
const at = (seconds: number): number => bootedMs + seconds * 1000;

describe('a process serves a connection', () => {
  it('if it is an sshd that began before it', () => {
    expect(wasServing(stat('sshd'), bootedMs, at(101))).toBe(true);
    expect(wasServing(stat('sshd-session'), bootedMs, at(101))).toBe(true);
  });

  it('not if it is another sshd, which began later with the same id', () => {
    expect(wasServing(stat('sshd'), bootedMs, at(10))).toBe(false);
  });

  it('not if it is another program, whatever its name is', () => {
    expect(wasServing(stat('bash'), bootedMs, at(101))).toBe(false);
    expect(wasServing(stat('x) S (sshd'), bootedMs, at(101))).toBe(false);
  });
});

it('a process that does not exist serves nothing, and this one is no sshd', async () => {
  expect(await realSshdProcesses.isServing(2 ** 30, Date.now())).toBe(false);
  expect(await realSshdProcesses.isServing(process.pid, Date.now())).toBe(false);
});
