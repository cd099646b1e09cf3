import { describe, expect, it } from 'vitest';
import {
  isSnapshotName,
  originOf,
  parseNewSnapshotName,
  timeName,
} from '../../../../src/domain/values/snapshotName.ts';

describe('the name of a new snapshot', () => {
  it.each(['before-upgrade', '2026.11', 'a', 'A_b', '7'.repeat(63)])('may be %j', (name) => {
    expect(parseNewSnapshotName(name)).toBe(name);
  });

  it.each([
    ['', 'letters'],
    ['a b', 'letters'],
    ['a/b', 'letters'],
    ['-x', 'letters'],
    ['x-', 'letters'],
    ['..', 'letters'],
    ['ä', 'letters'],
    ['x'.repeat(64), '63'],
    ['auto-1', 'given by the server'],
    ['own-mine', 'given by the server'],
    ['before-restore-x', 'given by the server'],
  ])('may not be %j', (name, why) => {
    expect(() => parseNewSnapshotName(name)).toThrow(
      expect.objectContaining({ code: 'usage', why: expect.stringContaining(why) as string }),
    );
  });

  it('is the time by default, sorts by it, and is a name that may be given', () => {
    const names = ['2026-01-02T03:04:05Z', '2026-01-02T03:04:06Z', '2026-10-01T00:00:00Z'].map((time) =>
      timeName(new Date(time)),
    );
    expect(names[0]).toBe('20260102-030405');
    expect([...names].sort()).toEqual(names);
    for (const name of names) expect(parseNewSnapshotName(name)).toBe(name);
  });
});

describe('the origin of a snapshot', () => {
  it.each([
    ['before-upgrade', 'manual'],
    ['auto-20260102-030405', 'scheduled'],
    ['own-mine', 'owner'],
    ['before-restore-20260102-030405', 'restore'],
    ['before-restored', 'manual'],
  ])('of %s is %s', (name, origin) => {
    expect(originOf(name)).toBe(origin);
    expect(isSnapshotName(name)).toBe(true);
  });
});
