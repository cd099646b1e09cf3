/**
 * Appends from several callers at once until it is killed, and prints each acknowledged number. Run by kill.test.ts.
 */
import { writeSync } from 'node:fs';
import { Journal } from '../../../src/journal/journal.ts';

const journal = await Journal.open({ folder: process.argv[2] ?? '', segmentBytes: 20_000 });
const caller = async (name: string): Promise<never> => {
  for (let n = 0; ; n += 1) {
    const { seq } = await journal.append({ type: 'note', caller: name, n, text: 'x'.repeat((n * 37) % 3000) });
    // Written synchronously, because a killed process does not flush its streams.
    writeSync(1, `${seq}\n`);
  }
};
await Promise.all(['a', 'b', 'c'].map(caller));
