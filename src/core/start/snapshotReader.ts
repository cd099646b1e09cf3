/** The program that reads snapshots of ZFS, which core starts in a unit of its own. */
import { fileURLToPath } from 'node:url';

/** The extension that this module has itself: core runs compiled, or as it was written. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** Its command line, to which the verb and the snapshot are added. */
export const snapshotReader: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL(`../../repository/snapshotReader.${extension}`, import.meta.url)),
];
