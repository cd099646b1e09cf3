/** The counts at the end of `npm test`: a test that passed only when it ran again is told, and none is lost. */
import { describe, expect, it } from 'vitest';
import { Results } from '../results.ts';

type Report = Parameters<Results['add']>[0];
type Status = Report['testResults'][number]['assertionResults'][number]['status'];

/** A report of one file: its tests by name. */
function report(file: string, tests: Record<string, Status>, status: 'passed' | 'failed' = 'passed'): Report {
  const failed = Object.values(tests).includes('failed');
  return {
    testResults: [
      {
        name: `/checkout/test/${file}.test.ts`,
        status: failed ? 'failed' : status,
        message: status === 'failed' ? 'Cannot find module\nat x' : '',
        startTime: 0,
        endTime: 1,
        assertionResults: Object.entries(tests).map(([fullName, each]) => ({
          ...{ fullName, title: fullName, ancestorTitles: [], meta: {}, tags: [], benchmarks: [] },
          status: each,
          failureMessages: each === 'failed' ? ['expected 1 to be 2\nat y'] : [],
        })),
      },
    ],
  };
}

describe('the results of the tests', () => {
  it('count every test, and name those that failed', () => {
    const results = new Results('/checkout');
    results.add(report('ssh/a', { one: 'passed', two: 'failed', three: 'skipped', four: 'todo' }));
    results.add(report('unit/b', {}, 'failed'));
    expect(results.counts).toEqual({ passed: 1, failed: 2, skipped: 2 });
    expect(results.failures).toEqual([
      '✗ test/ssh/a.test.ts > two',
      '    expected 1 to be 2',
      '✗ test/unit/b.test.ts > outside its tests',
      '    Cannot find module',
    ]);
    expect(results.ran('unit')).toBe(true);
    expect(results.ran('host')).toBe(false);
  });

  it('run a failed file again, and tell which test passed only then', () => {
    const results = new Results('/checkout');
    results.add(report('ssh/a', { one: 'passed', two: 'failed', three: 'failed' }));
    results.add(report('ssh/b', { one: 'passed' }));
    expect(results.filesToRunAgain).toEqual(['/checkout/test/ssh/a.test.ts']);
    results.add(report('ssh/a', { one: 'failed', two: 'passed', three: 'failed' }));
    expect(results.counts).toEqual({ passed: 2, failed: 2, skipped: 0 });
    expect(results.passedAgain).toEqual(['test/ssh/a.test.ts > two']);
  });

  it('do not run again what fails in many files', () => {
    const results = new Results('/checkout');
    for (let file = 0; file < 9; file++) results.add(report(`ssh/${file}`, { one: 'failed' }));
    expect(results.filesToRunAgain).toEqual([]);
  });
});
