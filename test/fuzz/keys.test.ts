/**
 * Floods a shell with packets full of each key: on the longest line, in a search, a question, a form, the live list,
 * and on a dumb terminal. No turn of the event loop may exceed the limit for packets (fuzz.test.ts).
 *
 * The shell runs without ssh in a process that is started like the front, because only there the turns can be measured
 * one by one.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { processEnvironment, processV8Flags } from '../../src/core/processes/processStarter.ts';
import { keys, places } from './keys.ts';
import { maxTurnMs } from './eventLoop.ts';

const floods = fileURLToPath(new URL('floods.ts', import.meta.url));

async function measure(place: string): Promise<{ key: string; ms: number }[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [...processV8Flags, floods, place], {
    env: { ...process.env, ...processEnvironment },
    timeout: 1_200_000,
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string; ms: number });
}

// Turns are measured in processor time, so the places can share the processors.
test.concurrent.for(Object.keys(places))(
  'no key blocks the event loop of a shell that shows %s',
  { timeout: 2_400_000 },
  async (place, { expect }) => {
    const found = await measure(place);
    expect(found.map(({ key }) => key)).toEqual(Object.keys(keys));
    console.log(`${place}: the longest turn took ${Math.max(...found.map(({ ms }) => ms))} ms`);
    const slow = found.filter(({ ms }) => ms > maxTurnMs).map(({ key }) => key);
    if (slow.length === 0) return;
    // A key that blocks does so each time; a processor that other programs have cooled the caches of does not.
    const again = (await measure(place)).filter(({ key, ms }) => slow.includes(key) && ms > maxTurnMs);
    expect(again, `twice longer than ${maxTurnMs} ms`).toEqual([]);
  },
);
