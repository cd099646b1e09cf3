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
  it('are distinct, and below 126, where shells begin to use them', () => {
    const numbers = Object.values(exitCodes);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Math.max(...numbers)).toBeLessThan(126);
    expect(Math.min(...numbers)).toBe(0);
  });

  it('keep their numbers, which scripts rely on', () => {
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

  it('each have a meaning for the docs', () => {
    expect(Object.keys(exitMeanings)).toEqual(Object.keys(exitCodes));
  });

  it.each(codes)('follow from the failure code %s, and are never success', (code) => {
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

  it('survives the way through JSON', () => {
    const back = Failure.fromData(JSON.parse(JSON.stringify(new Failure('exists', full).toData())));
    expect(back.toData()).toEqual(full);
    expect(back.exitCode).toBe(5);
  });

  it('leaves out of its data what it does not have', () => {
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

  it('has no cause where none was given', () => {
    expect('cause' in new Failure('busy', { what: 'it', why: 'of a reason' })).toBe(false);
  });

  it('passes through `from` unchanged', () => {
    const failure = new Failure('busy', { what: 'it', why: 'of a reason' });
    expect(Failure.from(failure)).toBe(failure);
  });

  it.each([
    ['an error', new TypeError('no such method'), 'no such method'],
    ['a string', 'thrown text', 'thrown text'],
    ['undefined', undefined, 'undefined'],
  ])('made of %s is internal and says why', (_, thrown, why) => {
    const failure = Failure.from(thrown);
    expect(failure.code).toBe('internal');
    expect(failure.why).toBe(why);
    expect(failure.cause).toBe(thrown);
  });
});

describe('isFailure', () => {
  const failure = new Failure('busy', { what: 'it', why: 'of a reason' });

  it('knows any failure, or only those with the codes that are asked for', () => {
    expect(isFailure(failure)).toBe(true);
    expect(isFailure(failure, 'exists', 'busy')).toBe(true);
    expect(isFailure(failure, 'exists')).toBe(false);
  });

  it('is false for what merely looks like one', () => {
    expect(isFailure({ ...failure.toData(), name: 'Failure' })).toBe(false);
    expect(isFailure(new Error('busy'), 'busy')).toBe(false);
  });
});
