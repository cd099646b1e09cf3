import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Journal } from '../../../src/journal/journal.ts';
import { queryJournal } from '../../../src/journal/query.ts';
import { verifyJournal } from '../../../src/journal/history/verify.ts';
import { collect, temporaryFolder } from '../../unit/journal/support.ts';

/** Lets a process append until `enough` records are acknowledged, kills it, and returns the acknowledged numbers. */
async function killedAfter(folder: string, enough: number): Promise<number[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'appender.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.split('\n').length > enough) child.kill('SIGKILL');
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  return output.split('\n').slice(0, -1).map(Number);
}

it(
  'every acknowledged record survives SIGKILL at any moment, and the chain stays valid',
  { timeout: 60_000 },
  async () => {
    const folder = await temporaryFolder();
    const acknowledged: number[] = [];
    for (const enough of [1, 40, 150, 7, 300, 90]) {
      acknowledged.push(...(await killedAfter(folder, enough)));
      const journal = await Journal.open({ folder, segmentBytes: 20_000 });
      await journal.append({ type: 'after-kill' });
      await journal.close();
      const verification = await verifyJournal(folder);
      expect(verification).toMatchObject({ ok: true, endKnown: true, incompleteBytes: 0 });
      const present = new Set((await collect(queryJournal(folder))).map(({ seq }) => seq));
      expect(acknowledged.filter((seq) => !present.has(seq))).toEqual([]);
    }
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
    expect(acknowledged.length).toBeGreaterThanOrEqual(588);
  },
);
