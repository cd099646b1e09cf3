/** The accidents of docs/recovery.md: their titles and their commands. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './server.ts';

/** Returns the commands of each section, by its title, in the order in which they stand there. */
export function accidents(): ReadonlyMap<string, readonly string[]> {
  const page = readFileSync(join(repository, 'docs', 'recovery.md'), 'utf8');
  return new Map(
    page
      .split(/^## /m)
      .slice(1)
      .map((section) => {
        const title = section.split('\n')[0] ?? '';
        const blocks = [...section.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, text = '']) => text);
        return [title, blocks.flatMap((text) => text.split('\n').filter((line) => line !== ''))];
      }),
  );
}
