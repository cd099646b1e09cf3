/** A few seconds of `npm run test:soak`, so that it works when somebody wants hours of it. */
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { repository, startServer } from '../support/server.ts';

test('the soak test in short: nobody dies, nothing leaks, nothing is uncaught', async () => {
  // Builds, as every test does that needs the program.
  await (await startServer()).stop();
  const { stdout, stderr, exitCode } = await execa(
    process.execPath,
    [join(repository, 'test', 'soak', 'soak.ts'), '--minutes', '0.2'],
    { reject: false },
  );
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
  expect(stdout).toMatch(/^p95 under attack relative to quiet: login [\d.]+, key [\d.]+$/m);
  expect(stderr).not.toMatch(/"kind":"(uncaught|unhandled)"/);
}, 120_000);
