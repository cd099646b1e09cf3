import { describe, expect, it } from 'vitest';
import {
  exitCodes,
  exitMeanings,
  Failure,
  failureCodes,
  isFailure,
  type FailureCode,
} from '../../../src/domain/failure.ts';

const codes = Object.keys(failureCodes) as FailureCode[];

describe('exit codes', () => {
  it('are distinct and below 126, the first code that shells use', () => {
    const numbers = Object.values(exitCodes);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Math.max(...numbers)).toBeLessThan(126);
    expect(Math.min(...numbers)).toBe(0);
  });

  it('never change, because scripts rely on them', () => {
    expect(exitCodes).toEqual({
      ok: 0,
      failed: 1,
      usage: 2,
      notFound: 3,
      denied: 4,
      conflict: 5,
      partial: 6,
      timeout: 7,
      unavailable: 8,
      cancelled: 9,
    });
  });

  it('all have a meaning for the docs', () => {
    expect(Object.keys(exitMeanings)).toEqual(Object.keys(exitCodes));
  });

  it.each(codes)('follow from the failure code %s and are not 0', (code) => {
    const failure = new Failure(code, { what: 'it', why: 'of a reason' });
    expect(failure.exitCode).toBe(exitCodes[failureCodes[code]]);
    expect(failure.exitCode).toBeGreaterThan(0);
  });
});

describe('Failure', () => {
  const full = {
    code: 'exists',
    what: 'container "alice"',
    why: 'it exists',
    next: 'info alice',
    details: { user: 'alice' },
  } as const;

  it('is an error whose message says what failed and why', () => {
    const failure = new Failure('exists', full);
    expect(failure).toBeInstanceOf(Error);
    expect(failure.message).toBe('container "alice": it exists');
    expect(failure.name).toBe('Failure');
  });

  it('survives conversion to JSON and back', () => {
    const back = Failure.fromData(JSON.parse(JSON.stringify(new Failure('exists', full).toData())));
    expect(back.toData()).toEqual(full);
    expect(back.exitCode).toBe(5);
  });

  it('omits absent properties from its data', () => {
    expect(Object.keys(new Failure('busy', { what: 'it', why: 'of a reason' }).toData()).sort()).toEqual([
      'code',
      'what',
      'why',
    ]);
  });

  it('keeps its cause out of its data', () => {
    const failure = new Failure('internal', { what: 'it', why: 'of a reason' }, new Error('secret'));
    expect(failure.cause).toBeInstanceOf(Error);
    expect(JSON.stringify(failure.toData())).not.toContain('secret');
  });

  it('has no cause property if no cause was given', () => {
    expect('cause' in new Failure('busy', { what: 'it', why: 'of a reason' })).toBe(false);
  });

  it('is returned unchanged by Failure.from', () => {
    const failure = new Failure('busy', { what: 'it', why: 'of a reason' });
    expect(Failure.from(failure)).toBe(failure);
  });

  it.each([
    ['EROFS', 'store-unavailable', 'its file system is read-only'],
    ['ENOSPC', 'no-space', 'no space is left on its file system'],
    ['EACCES', 'denied', 'this account has no right to it'],
  ])('says what a file system refused with %s, and the way out', (code, expected, why) => {
    const thrown = Object.assign(new Error(`${code}: text of Node.js`), { code, path: '/home/x', syscall: 'open' });
    const failure = Failure.from(thrown);
    expect(failure).toMatchObject({ code: expected, what: 'file "/home/x"', why, cause: thrown });
    expect(failure.next).toBeDefined();
  });

  it('does not take a refused program for a refused file', () => {
    const thrown = Object.assign(new Error('spawn'), { code: 'EACCES', path: 'incus', syscall: 'spawn incus' });
    expect(Failure.from(thrown).code).toBe('internal');
  });

  it.each([
    ['an error', new TypeError('no such method'), 'no such method'],
    ['a string', 'thrown text', 'thrown text'],
    ['undefined', undefined, 'undefined'],
  ])('has the code internal, a reason and a cause if %s was thrown', (_, thrown, why) => {
    const failure = Failure.from(thrown);
    expect(failure.code).toBe('internal');
    expect(failure.why).toBe(why);
    expect(failure.cause).toBe(thrown);
  });
});

describe('isFailure', () => {
  const failure = new Failure('busy', { what: 'it', why: 'of a reason' });

  it('accepts any failure, or only failures with the given codes', () => {
    expect(isFailure(failure)).toBe(true);
    expect(isFailure(failure, 'exists', 'busy')).toBe(true);
    expect(isFailure(failure, 'exists')).toBe(false);
  });

  it('rejects plain data and other errors', () => {
    expect(isFailure({ ...failure.toData(), name: 'Failure' })).toBe(false);
    expect(isFailure(new Error('busy'), 'busy')).toBe(false);
  });
});
