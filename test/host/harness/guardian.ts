/**
 * Removes a test Incus when its test is gone, however it went: the test holds the other end of this program's standard
 * input, and the kernel closes it even after SIGKILL. A signal handler in the test itself would not see that, and runs
 * too late for vitest.
 *
 * Arguments: the folder and the id of the test Incus. A line on standard input says that the test has cleaned up
 * itself.
 */
import { removeRemains } from './remains.ts';

const [folder, id] = process.argv.slice(2);
if (folder === undefined || id === undefined) throw new Error('usage: guardian.ts FOLDER ID');

// Ctrl-C reaches the whole process group of a terminal, a hang-up too: this program has to outlive both.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => undefined);

let cleanedUp = false;
for await (const _ of process.stdin) cleanedUp = true;
if (!cleanedUp) await removeRemains(folder, id);
