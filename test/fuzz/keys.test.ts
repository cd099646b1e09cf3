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
import { frontEnvironment, frontV8Flags } from '../../src/core/front/frontStarter.ts';
import { keys, places } from './keys.ts';
import { maxTurnMs } from './eventLoop.ts';

const floods = fileURLToPath(new URL('floods.ts', import.meta.url));

// Turns are measured in processor time, so the places can share the processors.
test.concurrent.for(Object.keys(places))(
  'no key blocks the event loop of a shell that shows %s',
  { timeout: 300_000 },
  async (place, { expect }) => {
    const { stdout } = await promisify(execFile)(process.execPath, [...frontV8Flags, floods, place], {
      env: { ...process.env, ...frontEnvironment },
      timeout: 280_000,
    });
    const found = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { key: string; ms: number });
    expect(found.map(({ key }) => key)).toEqual(Object.keys(keys));
    console.log(`${place}: the longest turn took ${Math.max(...found.map(({ ms }) => ms))} ms`);
    expect(found.filter(({ ms }) => ms > maxTurnMs)).toEqual([]);
  },
);
