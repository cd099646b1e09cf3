/**
 * The answers that every host must give to the story, stored in expected.json. After a deliberate change,
 * `UPDATE_CONTRACT=yes npm test -- contract` rewrites them from the simulated host. Then check that the real host
 * agrees (`npm test -- host`).
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { Answers } from './story.ts';

const path = new URL('expected.json', import.meta.url);

export async function expectedStory(answers: Answers, mayUpdate: boolean): Promise<Answers> {
  if (mayUpdate && process.env['UPDATE_CONTRACT'] === 'yes')
    await writeFile(path, `${JSON.stringify(answers, undefined, 1)}\n`);
  return JSON.parse(await readFile(path, 'utf8')) as Answers;
}
