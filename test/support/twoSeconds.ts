import type { TestServer } from './server.ts';

/** How long a command takes on a machine that does nothing else, in milliseconds, and more. */
const quietMs = 400;

/**
 * "Within two seconds", in milliseconds, on a machine that may be doing something else: a command is timed beside it,
 * and what that takes too long, five times.
 */
export async function twoSeconds(server: TestServer): Promise<number> {
  const startedMs = performance.now();
  await server.ssh(['whoami']);
  return 2000 + 5 * Math.max(0, performance.now() - startedMs - quietMs);
}
