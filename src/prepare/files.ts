/** Looks at files of the machine. */
import { lstat } from 'node:fs/promises';

/** Reports whether there is something at a path, a broken link included. */
export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
        return false;
      throw error;
    },
  );
}
