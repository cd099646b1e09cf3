/** The folder of the Incus daemon. */
import { join } from 'node:path';

/** The folder of the daemon in the packages of Debian and Ubuntu. */
export const defaultIncusFolder = '/var/lib/incus';

/** Returns the folder of the daemon that this process uses: `INCUS_DIR`, as Incus itself reads it. */
export const incusFolder = (): string => process.env['INCUS_DIR'] ?? defaultIncusFolder;

/** Returns where Incus mounts the disk of a container of the default project. */
export const containerFolder = (pool: string, instance: string, folder = incusFolder()): string =>
  join(folder, 'storage-pools', pool, 'containers', instance);
