import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../domain/packageRoot.ts';

/** Returns the version in package.json. */
export async function packageVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
