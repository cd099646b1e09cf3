/**
 * What a server that runs has on its disk. Files are written anew beside the old ones and renamed, so that a name may
 * go before it is read.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface FoundFile {
  readonly name: string;
  readonly content: Buffer;
}

async function readBelow(folder: string): Promise<FoundFile[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(
    found
      .filter((file) => file.isFile())
      .map(async ({ parentPath, name }) => ({ name, content: await readFile(join(parentPath, name)) })),
  );
}

/** All files below a folder, at a moment in which none of their names went away. */
export async function filesBelow(folder: string): Promise<FoundFile[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readBelow(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === 50) throw error;
    }
  }
}

/** What they hold, in bytes. */
export async function bytesBelow(folder: string): Promise<number> {
  return (await filesBelow(folder)).reduce((sum, { content }) => sum + content.length, 0);
}
