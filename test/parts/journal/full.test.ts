import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyJournal } from '../../../src/journal/history/verify.ts';
import { temporaryFolder } from '../../unit/journal/support.ts';

describe('a segment that must not grow', () => {
  it('makes appends fail until it may grow again', { timeout: 30_000 }, async () => {
    const folder = await temporaryFolder();
    // RLIMIT_FSIZE causes a short write and then EFBIG, as a full disk causes a short write and then ENOSPC.
    const program = [process.execPath, join(import.meta.dirname, 'untilFull.ts'), folder];
    const child = spawn('bash', ['-c', 'ulimit -S -f 32; exec "$@"', 'bash', ...program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
    const full = (await next()) as { code: string; errno: string; acknowledged: number };
    expect(full).toMatchObject({ code: 'journal-unwritable', errno: 'EFBIG' });
    expect(full.acknowledged).toBeGreaterThan(10);
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, incompleteBytes: 0, records: full.acknowledged + 1 });
    await new Promise((resolve, reject) => {
      spawn('prlimit', ['--fsize=unlimited', '--pid', String(child.pid)])
        .on('error', reject)
        .on('exit', resolve);
    });
    child.stdin.write('continue\n');
    expect(await next()).toEqual({ appended: full.acknowledged + 2 });
    child.stdin.end();
    await new Promise((resolve) => child.on('exit', resolve));
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: full.acknowledged + 2, endKnown: true });
  });
});
