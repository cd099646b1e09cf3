import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fixture, temporaryFolder } from '../../unit/simulated/support.ts';

const childPath = fileURLToPath(new URL('child.ts', import.meta.url));

/** Runs the child to its end. `onGroup` is called after each new group and may kill the child. */
async function child(
  folder: string,
  faultsPath: string,
  groups: readonly string[],
  onGroup: (group: string, kill: () => void) => void = () => undefined,
): Promise<{ made: string[]; signal: NodeJS.Signals | null; code: number | null }> {
  const started = spawn(process.execPath, [childPath, join(folder, 'host.json'), faultsPath, ...groups], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    started.once('close', (code, signal) => resolve({ code, signal })),
  );
  const made: string[] = [];
  for await (const line of createInterface({ input: started.stdout })) {
    made.push(line);
    onGroup(line, () => started.kill('SIGKILL'));
  }
  return { made, ...(await ended) };
}

test.each([
  ['kill-before', 'before', undefined],
  ['kill-after', 'after', expect.any(Number) as number],
])('fault %s kills the process %s the change', async (mode, _when, gid) => {
  const folder = temporaryFolder();
  const faultsPath = join(folder, 'faults.json');
  writeFileSync(faultsPath, JSON.stringify([{ match: { program: 'groupadd' }, call: 2, mode }]));
  const { made, signal } = await child(folder, faultsPath, ['one', 'two', 'three']);
  expect(signal).toBe('SIGKILL');
  expect(made).toEqual(['one']);
  const { accounts } = fixture({}, folder);
  expect(await accounts.groupId('one')).toEqual(expect.any(Number));
  expect(await accounts.groupId('two')).toEqual(gid);
  expect(await accounts.groupId('three')).toBeUndefined();

  // The fault is removed before the kill, so that the next process can finish the work.
  expect(JSON.parse(readFileSync(faultsPath, 'utf8'))).toEqual([]);
  const again = await child(folder, faultsPath, ['one', 'two', 'three']);
  expect(again).toEqual({ made: ['one', 'two', 'three'], signal: null, code: 0 });
});

test('a process that is killed right after an answer has saved the change', async () => {
  const folder = temporaryFolder();
  const groups = Array.from({ length: 200 }, (_, index) => `group-${index}`);
  const { made } = await child(folder, '', groups, (group, kill) => {
    if (group === 'group-20') kill();
  });
  expect(made.length).toBeGreaterThan(20);
  const { accounts } = fixture({}, folder);
  for (const group of made) expect(await accounts.groupId(group)).toEqual(expect.any(Number));
});
