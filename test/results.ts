/** What the tests of one `npm test` came to, from the JSON reports of vitest. */
import { relative, sep } from 'node:path';
import type { JsonTestResults } from 'vitest/node';

type File = JsonTestResults['testResults'][number];

/** If more files than this fail, it is not that the machine was busy. */
const mostAgain = 8;

/** Collects reports: the counts, and which tests failed. Paths in its lines are relative to `root`. */
export class Results {
  readonly #root: string;
  readonly #files = new Map<string, File>();
  /** Tests that passed only when their file ran again. */
  readonly passedAgain: string[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  /** Adds a report. New results of a file replace its old ones. */
  add({ testResults }: Pick<JsonTestResults, 'testResults'>): void {
    for (const file of testResults) {
      const before = this.#files.get(file.name);
      this.#files.set(file.name, file);
      if (before === undefined) continue;
      const failing = new Set(failuresOf(file).map(({ name }) => name));
      for (const { name } of failuresOf(before))
        if (!failing.has(name)) this.passedAgain.push(`${relative(this.#root, file.name)} > ${name}`);
    }
  }

  get counts(): { passed: number; failed: number; skipped: number } {
    const files = [...this.#files.values()];
    const tests = files.flatMap(({ assertionResults }) => assertionResults);
    const passed = tests.filter(({ status }) => status === 'passed').length;
    const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed').length;
    return { passed, failed: files.flatMap(failuresOf).length, skipped };
  }

  /** Whether a file of this project's tests ran. */
  ran(project: string): boolean {
    return [...this.#files.keys()].some((name) => name.includes(`${sep}test${sep}${project}${sep}`));
  }

  /** The files that get another run, by themselves: those with a failed test, unless they are many. */
  get filesToRunAgain(): string[] {
    const failed = [...this.#files.values()].filter((file) => failuresOf(file).length > 0);
    return failed.length > mostAgain ? [] : failed.map(({ name }) => name);
  }

  /** Two lines for each failed test: its file and name, and the first line of its message. */
  get failures(): string[] {
    return [...this.#files.values()].flatMap((file) =>
      failuresOf(file).flatMap(({ name, message }) => [
        `✗ ${relative(this.#root, file.name)} > ${name}`,
        `    ${message.split('\n')[0] ?? ''}`,
      ]),
    );
  }
}

/** The failed tests of a file. One that fails outside its tests has one, of that name. */
function failuresOf({ status, message, assertionResults }: File): { name: string; message: string }[] {
  const failed = assertionResults.filter((test) => test.status === 'failed');
  if (failed.length === 0 && status === 'failed') return [{ name: 'outside its tests', message }];
  return failed.map(({ fullName, failureMessages }) => ({ name: fullName, message: failureMessages?.[0] ?? '' }));
}
