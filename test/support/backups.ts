/** The folder of backups of a test. */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Gives the newest backup of a container this id, so that a test can name it beforehand. */
export async function nameBackup(folder: string, container: string, id: string): Promise<void> {
  const ids = (await readdir(join(folder, container))).filter((each) => each !== id).sort();
  const made = ids.at(-1);
  if (made === undefined) throw new Error(`there is no backup of ${container}`);
  await rm(join(folder, container, id), { recursive: true, force: true });
  await rename(join(folder, container, made), join(folder, container, id));
  const manifest = join(folder, container, id, 'manifest.json');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(made, id));
}
