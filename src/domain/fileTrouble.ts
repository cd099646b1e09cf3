/** Says why a file system refused an operation, and what to do about it, instead of the text of Node.js. */

export interface FileTrouble {
  readonly code: 'no-space' | 'denied' | 'store-unavailable';
  /** The file that the operation was about, if the error names one. */
  readonly path: string | undefined;
  readonly why: string;
  readonly next: string;
}

/** What the codes of open(2) and its like mean, as far as the host's root can mend it. */
const meanings: Readonly<Record<string, Omit<FileTrouble, 'path'>>> = {
  ENOSPC: {
    code: 'no-space',
    why: 'no space is left on its file system',
    next: 'free some space on its file system ("df -h" shows them)',
  },
  EDQUOT: { code: 'no-space', why: 'the disk quota of this account is used up', next: 'delete files of this account' },
  EFBIG: {
    code: 'no-space',
    why: 'the file may not become larger',
    next: 'raise the limit of the file system or of the process ("prlimit")',
  },
  EROFS: {
    code: 'store-unavailable',
    why: 'its file system is read-only',
    next: 'mount it for writing; a disk with errors becomes read-only by itself, and "dmesg" names them',
  },
  EACCES: { code: 'denied', why: 'this account has no right to it', next: 'run it as root, or give it that right' },
  EPERM: { code: 'denied', why: 'this account has no right to it', next: 'run it as root, or give it that right' },
};

/** Returns what an error of a file operation means; undefined for any other error. */
export function fileTrouble(error: unknown): FileTrouble | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '', path, syscall = '' } = error as NodeJS.ErrnoException;
  const meaning = Object.hasOwn(meanings, code) ? meanings[code] : undefined;
  // A write names no file. What a program or a socket was denied is no trouble of a file.
  if (meaning === undefined || syscall.startsWith('spawn') || (meaning.code === 'denied' && path === undefined))
    return undefined;
  return { ...meaning, path };
}
