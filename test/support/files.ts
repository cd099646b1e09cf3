/**
 * The files of a running server. The server replaces files by renaming, so that a file can vanish between listing and
 * reading.
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

/** Reads all files below a folder. Retries if a file vanishes meanwhile. */
export async function filesBelow(folder: string): Promise<FoundFile[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readBelow(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === 50) throw error;
    }
  }
}

/** Returns the total size of the files below a folder, in bytes. */
export async function bytesBelow(folder: string): Promise<number> {
  return (await filesBelow(folder)).reduce((sum, { content }) => sum + content.length, 0);
}
