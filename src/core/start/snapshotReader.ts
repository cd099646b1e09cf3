/** The program that reads snapshots of ZFS, which core starts in a unit of its own. */
import { programFile } from '../../domain/packageRoot.ts';

/** Its command line, to which the verb and the snapshot are added. */
export const snapshotReader: readonly string[] = [process.execPath, programFile('repository/snapshotReader')];
