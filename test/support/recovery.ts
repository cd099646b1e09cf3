/** The accidents of docs/recovery.md: their titles and their commands. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './server.ts';

/** Returns what the section tells to answer a command that asks. */
export function answersOf(title: string): string {
  const section = sections().find((text) => text.startsWith(`${title}\n`)) ?? '';
  return /^```text\n([^]*?)^```$/m.exec(section)?.[1] ?? '';
}

function sections(): string[] {
  return readFileSync(join(repository, 'docs', 'recovery.md'), 'utf8')
    .split(/^## /m)
    .slice(1);
}

/** Returns the commands of each section, by its title, in the order in which they stand there. */
export function accidents(): ReadonlyMap<string, readonly string[]> {
  return new Map(
    sections().map((section) => {
      const title = section.split('\n')[0] ?? '';
      const blocks = [...section.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, text = '']) => text);
      return [title, blocks.flatMap((text) => text.split('\n').filter((line) => line !== ''))];
    }),
  );
}
