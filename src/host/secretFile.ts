/** Files with secrets that the configuration names. */
import { open } from 'node:fs/promises';
import { Failure } from '../domain/failure.ts';

const maxBytes = 64 * 1024;

/**
 * Returns the text of a file that only this user may read or change. `setting` names it in failures, which never quote
 * its text. Rejects with `settings`.
 */
export async function readSecretFile(setting: string, path: string): Promise<string> {
  const refuse = (why: string, next: string, cause?: unknown): Failure =>
    new Failure('settings', { what: `${setting} ${path}`, why, next }, cause);
  const handle = await open(path, 'r').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw refuse(why, 'make it, with mode 600', error);
  });
  try {
    const { uid, mode, size } = await handle.stat();
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0)
      throw refuse('other accounts may read or change it', `chown root ${path} && chmod 600 ${path}`);
    if (size > maxBytes) throw refuse('it is too long', 'give a file with the secret alone');
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
