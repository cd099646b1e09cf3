import type { TestServer } from './server.ts';

/** Upper bound for a command on an idle machine, in milliseconds. */
const quietMs = 400;

/**
 * Returns two seconds, in milliseconds, adjusted to the load of the machine: runs a command and adds five times its
 * excess over {@link quietMs}.
 */
export async function twoSeconds(server: TestServer): Promise<number> {
  const startedMs = performance.now();
  await server.ssh(['whoami']);
  return 2000 + 5 * Math.max(0, performance.now() - startedMs - quietMs);
}
