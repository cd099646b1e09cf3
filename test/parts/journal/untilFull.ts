/**
 * Appends until the file must not grow, reports that, waits for a line on stdin, and appends once more. Run by
 * full.test.ts.
 */
import { once } from 'node:events';
import { Failure } from '../../../src/domain/failure.ts';
import { Journal } from '../../../src/journal/journal.ts';

// The default action would end the process before write(2) could return EFBIG.
process.on('SIGXFSZ', () => undefined);

const journal = await Journal.open({ folder: process.argv[2] ?? '' });
let acknowledged = 0;
try {
  for (;;) {
    await journal.append({ type: 'note', text: 'x'.repeat(100) });
    acknowledged += 1;
  }
} catch (error) {
  const failure = Failure.from(error);
  console.log(JSON.stringify({ code: failure.code, errno: failure.details?.['errno'], acknowledged }));
}
await once(process.stdin, 'data');
const { seq } = await journal.append({ type: 'note' });
await journal.close();
console.log(JSON.stringify({ appended: seq }));
process.exit();
