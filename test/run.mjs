/**
 * Runs `npm test`: lint, then the projects of vitest.config.ts but machine and bench. The last line of output has the
 * counts.
 *
 *   npm test                  everything
 *   npm test -- unit ssh      some projects (unit, parts, contract, ssh, remote, fuzz, shell, terraform, faults, host)
 *   npm test -- lint          the checks of the sources
 *
 * The tests on a real Incus need root on Debian or Ubuntu. Missing system packages are installed after a question on
 * the terminal (CI=true or CONTAINARIUM_TEST_INSTALL=yes answers yes). Those of terraform/ need Terraform and Go. If
 * tests cannot run, they count as skipped, and a line says why. Files with a failed test run once more by themselves,
 * when they are few; a line names each test that passed only then.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePackages } from './host/harness/packages.ts';
import { Results } from './results.ts';
import { missingForTerraform } from './terraform/missing.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const all = ['unit', 'parts', 'contract', 'ssh', 'remote', 'fuzz', 'shell', 'terraform', 'faults', 'host'];
/** Projects that need system packages. */
const needPackages = ['host', 'ssh', 'remote', 'shell'];
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => name !== 'lint' && !all.includes(name));
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. There are: lint, ${all.join(', ')}`);
  process.exit(2);
}
const projects = asked.length === 0 ? all : all.filter((name) => asked.includes(name));
const count = { passed: 0, failed: 0, skipped: 0 };
const results = new Results(root);
const folder = mkdtempSync(join(tmpdir(), 'containarium-tests-'));
const startedMs = Date.now();

const seconds = () => `${Math.round((Date.now() - startedMs) / 1000)} s`;

/** Runs a program and prints its output. Returns whether it succeeded. */
async function run(program, args, env = {}) {
  const child = spawn(program, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  const [code] = await once(child, 'close');
  return code === 0;
}

/** Runs every `lint:` script of package.json. */
async function lint() {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const script of Object.keys(scripts).filter((name) => name.startsWith('lint:'))) {
    const passed = await run('npm', ['run', '--silent', script]);
    count[passed ? 'passed' : 'failed']++;
    console.log(`${passed ? '✓' : '✗'} ${script}`);
  }
}

/** Runs some projects in one vitest (or only `files` of them), and adds their results. */
async function runProjects(names, { env, files = [] }) {
  if (names.length === 0) return;
  const report = join(folder, `${names.join('-')}.json`);
  rmSync(report, { force: true });
  const ran = await run(
    process.execPath,
    [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--config',
      'test/vitest.config.ts',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...names.map((name) => `--project=${name}`),
      ...files,
    ],
    env,
  );
  console.log(`${names.join(', ')}: ended after ${seconds()}`);
  let result;
  try {
    result = JSON.parse(readFileSync(report, 'utf8'));
  } catch (error) {
    console.log(`✗ vitest left no report of ${names.join(', ')}: ${error.message}`);
    count.failed++;
    return;
  }
  results.add(result);
  // An error outside the tests, for instance in a timer, fails the run without a failed test.
  if (!ran && result.numFailedTests === 0 && result.numFailedTestSuites === 0) {
    console.log(`✗ an error outside the tests of ${names.join(', ')}`);
    count.failed++;
  }
  // A project that runs no test counts as failed.
  for (const name of names.filter((each) => !results.ran(each))) {
    console.log(`✗ no test of "${name}" ran`);
    count.failed++;
  }
}

if (asked.length === 0 || asked.includes('lint')) await lint();
if (projects.length > 0) {
  const reason = projects.some((name) => needPackages.includes(name)) ? await ensurePackages() : undefined;
  const noTerraform = projects.includes('terraform') ? await missingForTerraform() : undefined;
  for (const each of [reason, noTerraform]) if (each !== undefined) console.log(`Skipped: ${each}`);
  const env = {
    // Hundreds of servers and child processes share a cache of compiled code.
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
    // The same packets when a file runs again: what they found must not pass by chance.
    FUZZ_SEED: process.env['FUZZ_SEED'] ?? String(startedMs % 2 ** 31),
    ...(reason === undefined ? {} : { CONTAINARIUM_TEST_HOST_SKIP: reason }),
    ...(noTerraform === undefined ? {} : { CONTAINARIUM_TEST_TERRAFORM_SKIP: noTerraform }),
  };
  const others = projects.filter((name) => name !== 'host');
  // One after the other: both keep two processors busy, and beside each other they only fail sooner.
  await runProjects(others, { env });
  await runProjects(projects.includes('host') ? ['host'] : [], { env });
  // A busy machine fails tests that wait for real programs: they get one more run, by themselves, which is told below.
  const again = results.filesToRunAgain;
  if (again.length > 0) {
    console.log(`Again, by themselves:\n${again.join('\n')}`);
    const of = (project) => again.some((file) => file.includes(join('/', 'test', project, '/')));
    await runProjects(
      projects.filter((project) => of(project)),
      { env, files: again },
    );
  }
}

rmSync(folder, { recursive: true, force: true });
for (const name of results.passedAgain) console.log(`passed only when run again: ${name}`);
for (const line of results.failures) console.log(line.slice(0, 200));
for (const [kind, tests] of Object.entries(results.counts)) count[kind] += tests;
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit(count.failed === 0 ? 0 : 1);
