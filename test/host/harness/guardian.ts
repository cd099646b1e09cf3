/**
 * Removes a test Incus when its test has ended, however it ended. The test holds the other end of this program's
 * standard input, which the kernel closes even after SIGKILL. A signal handler in the test would not see SIGKILL, and
 * runs too late for vitest.
 *
 * Arguments: the folder and the id of the test Incus. A line on standard input means that the test has cleaned up
 * itself.
 */
import { removeRemains } from './remains.ts';

const [folder, id] = process.argv.slice(2);
if (folder === undefined || id === undefined) throw new Error('usage: guardian.ts FOLDER ID');

// Ctrl-C and a hangup reach the whole process group of a terminal; this program has to survive both.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => undefined);

let cleanedUp = false;
for await (const _ of process.stdin) cleanedUp = true;
if (!cleanedUp) await removeRemains(folder, id);
