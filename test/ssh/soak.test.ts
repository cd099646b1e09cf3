/** Runs `npm run test:soak` for a few seconds, so that it does not fail after hours. */
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { repository, startServer } from '../support/server.ts';

test('a short soak test ends with no dead process, no leak and no uncaught error', async () => {
  // Builds the program, as in every test that needs it.
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
