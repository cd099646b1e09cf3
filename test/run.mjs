/**
 * What `npm test` runs: lint, then every project of vitest.config.ts, and at the end one plain line with the counts.
 *
 *   npm test                  everything
 *   npm test -- unit ssh      some projects (unit, contract, ssh, fuzz, shell, faults, host) or "lint"
 *
 * The tests on a real Incus need root on Debian or Ubuntu; missing system packages are installed after asking on a
 * terminal (CI=true or CONTAINARIUM_TEST_INSTALL=yes answers yes). Where they cannot run they count as skipped, and one
 * line says why.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePackages } from './host/harness/packages.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const all = ['unit', 'contract', 'ssh', 'fuzz', 'shell', 'faults', 'host'];
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => name !== 'lint' && !all.includes(name));
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. There are: lint, ${all.join(', ')}`);
  process.exit(2);
}
const projects = asked.length === 0 ? all : all.filter((name) => asked.includes(name));
const count = { passed: 0, failed: 0, skipped: 0 };

function run(program, args, env = {}) {
  return (
    spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } })
      .status === 0
  );
}

if (asked.length === 0 || asked.includes('lint')) {
  for (const [name, program, args] of [
    ['types', 'tsc', ['--noEmit', '-p', 'test/lint/tsconfig.json']],
    ['lint', 'eslint', ['-c', 'test/lint/eslint.config.mjs', 'src', 'test']],
    ['layers', 'depcruise', ['--config', 'test/lint/layers.cjs', 'src']],
  ]) {
    const passed = run(join(root, 'node_modules', '.bin', program), args);
    count[passed ? 'passed' : 'failed']++;
    console.log(`${passed ? '✓' : '✗'} ${name}`);
  }
}

if (projects.length > 0) {
  const reason = projects.some((name) => name === 'host' || name === 'ssh' || name === 'shell')
    ? await ensurePackages()
    : undefined;
  if (reason !== undefined) console.log(`Skipped: ${reason}`);
  const folder = mkdtempSync(join(tmpdir(), 'containarium-counts-'));
  const report = join(folder, 'report.json');
  const ran = run(
    process.execPath,
    [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--config',
      'test/vitest.config.ts',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...projects.map((name) => `--project=${name}`),
    ],
    reason === undefined ? {} : { CONTAINARIUM_TEST_HOST_SKIP: reason },
  );
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    count.passed += result.numPassedTests;
    count.failed += result.numFailedTests;
    count.skipped += result.numPendingTests + result.numTodoTests;
    // A file that failed before it had tests, or an error outside of any test, fails the run without a failed test to
    // count.
    if (!ran && result.numFailedTests === 0) count.failed++;
    // A project without a test has not passed.
    for (const name of projects) {
      if (!result.testResults.some((file) => file.name.includes(`/test/${name}/`))) {
        console.log(`✗ no test of "${name}" ran`);
        count.failed++;
      }
    }
  } catch (error) {
    console.log(`✗ vitest left no report: ${error.message}`);
    count.failed++;
  }
  rmSync(folder, { recursive: true, force: true });
}

console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit(count.failed === 0 ? 0 : 1);
