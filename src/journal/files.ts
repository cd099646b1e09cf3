/** The file operations for writing the journal. They form an interface, so that a test can make each of them fail. */
import { open, unlink } from 'node:fs/promises';

/** A segment that is open for writing. */
export interface SegmentFile {
  /** Writes `bytes` at `position`, and returns how many bytes were written, which may be fewer (write(2)). */
  write(bytes: Buffer, position: number): Promise<number>;
  /** Resolves when the data is on disk (fdatasync(2)). */
  datasync(): Promise<void>;
  truncate(lengthBytes: number): Promise<void>;
  /** Returns the size, and the number of links, which is 0 if the file was deleted. */
  stat(): Promise<{ sizeBytes: number; links: number }>;
  close(): Promise<void>;
}

export interface JournalFiles {
  /** Opens a segment. `create` makes a new file of mode 0600, and fails if there is one. */
  open(path: string, how: 'create' | 'existing'): Promise<SegmentFile>;
  remove(path: string): Promise<void>;
  /** Resolves when the folder's entries are on disk (fsync(2) of the folder). */
  syncFolder(folder: string): Promise<void>;
}

export const realFiles: JournalFiles = {
  async open(path, how) {
    const handle = await open(path, how === 'create' ? 'wx' : 'r+', 0o600);
    return {
      write: async (bytes, position) => (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
      datasync: () => handle.datasync(),
      truncate: (lengthBytes) => handle.truncate(lengthBytes),
      stat: async () => {
        const { size, nlink } = await handle.stat();
        return { sizeBytes: size, links: nlink };
      },
      close: () => handle.close(),
    };
  },
  remove: (path) => unlink(path),
  async syncFolder(folder) {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};
