/**
 * Measures an append to a journal of 10, 100 000 and 1 000 000 records, and the time to open it. Run with
 * `node test/bench/journal.ts [folder on the disk to measure]`. Only the ratios count, because milliseconds depend on
 * the disk.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Journal } from '../../src/journal/journal.ts';
import { verifyJournal } from '../../src/journal/history/verify.ts';

const entry = {
  type: 'operation',
  op: '01JJ0000000000000000000000',
  verb: 'create',
  target: 'alice',
  actor: {
    name: 'ada',
    role: 'admin',
    entryPoint: 'manage',
    fingerprint: 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU',
  },
};
const measuredAppends = 400;

const folder = await mkdtemp(join(process.argv[2] ?? tmpdir(), 'journal-bench-'));
const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const cell = (text: string | number): string => String(text).padStart(10);

/** Returns the median time of sequential appends, in milliseconds. */
async function appendMs(journal: Journal): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < measuredAppends; i += 1) {
    const begun = performance.now();
    await journal.append(entry);
    times.push(performance.now() - begun);
  }
  return median(times);
}

try {
  // Uncompiled code and a cold disk cache would make the short journal look slow.
  const warmUp = await Journal.open({ folder: join(folder, 'warm-up') });
  for (let i = 0; i < 3; i += 1) await appendMs(warmUp);
  await warmUp.close();
  const rows: { records: number; appendMs: number; openMs: number; heapMiB: number }[] = [];
  for (const goal of [10, 100_000, 1_000_000]) {
    let journal = await Journal.open({ folder });
    while (journal.head.seq < goal) {
      const group = Math.min(1000, goal - journal.head.seq);
      await Promise.all(Array.from({ length: group }, () => journal.append(entry)));
    }
    await journal.close();
    const opening = performance.now();
    journal = await Journal.open({ folder });
    const openMs = performance.now() - opening;
    rows.push({
      records: goal,
      appendMs: await appendMs(journal),
      openMs,
      heapMiB: process.memoryUsage().heapUsed / 2 ** 20,
    });
    await journal.close();
  }
  const base = rows[0]?.appendMs ?? NaN;
  console.log(['records', 'append ms', 'ratio', 'open ms', 'heap MiB'].map(cell).join(''));
  for (const row of rows) {
    const { records, appendMs: ms, openMs, heapMiB } = row;
    console.log(
      [records, ms.toFixed(3), (ms / base).toFixed(2), openMs.toFixed(1), heapMiB.toFixed(0)].map(cell).join(''),
    );
  }
  const begun = performance.now();
  const verification = await verifyJournal(folder);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`verify: ${verification.ok ? 'good' : 'BAD'}, ${verification.records} records in ${seconds} s`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
