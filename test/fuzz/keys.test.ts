/**
 * A packet full of each key, on the longest line, in a search, a question, a form, the live list and on a terminal that
 * can do nothing. No turn of the event loop may take longer than it may for any packet (fuzz.test.ts).
 *
 * The shell is in a process of its own that is started like the front, but without ssh, because only there a turn can
 * be told from the next.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { frontEnvironment, frontV8Flags } from '../../src/core/front/frontStarter.ts';
import { keys, places } from './keys.ts';
import { longestMs } from './target.ts';

const floods = fileURLToPath(new URL('floods.ts', import.meta.url));

test.each(Object.keys(places))(
  '%s',
  async (place) => {
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
    expect(found.filter(({ ms }) => ms > longestMs)).toEqual([]);
  },
  300_000,
);
