/** Makes a placed release the installed program, with its command and its system files. */
import { join } from 'node:path';
import { below, releasesFolder } from './layout.ts';
import { useRelease, writeCommand } from './programFiles.ts';
import { installSystemFiles } from './systemFiles.ts';

/** Can be cut and repeated. Starts nothing. */
export async function putInUse(root: string, name: string): Promise<void> {
  await useRelease(root, name);
  await writeCommand(root);
  await installSystemFiles(root, join(below(root, releasesFolder), name));
}
