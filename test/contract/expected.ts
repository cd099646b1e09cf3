/**
 * What the story must tell on every host, kept in expected.json. After a deliberate change of the results,
 * `UPDATE_CONTRACT=yes npm test -- contract` writes it anew from the simulated host; the real host then has to agree
 * (`npm test -- host`).
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { Told } from './story.ts';

const path = new URL('expected.json', import.meta.url);

export async function expectedStory(told: Told, mayUpdate: boolean): Promise<Told> {
  if (mayUpdate && process.env['UPDATE_CONTRACT'] === 'yes')
    await writeFile(path, `${JSON.stringify(told, undefined, 1)}\n`);
  return JSON.parse(await readFile(path, 'utf8')) as Told;
}
