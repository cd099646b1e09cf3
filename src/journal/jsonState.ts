/**
 * Small state in one JSON file, through lowdb. Every write replaces the whole file, which is right for a few kilobytes.
 * Unlike lowdb's own adapter, this one calls fsync before the rename, and keeps the file mode 0600.
 */
import { readFile } from 'node:fs/promises';
import { Low, type Adapter } from 'lowdb';
import writeFileAtomic from 'write-file-atomic';
import type { z } from 'zod';
import { check, misfitText } from '../domain/check.ts';
import { Failure } from '../domain/failure.ts';
import { safeJson } from '../domain/text.ts';

class JsonFileAdapter<T> implements Adapter<T> {
  readonly #path: string;
  readonly #schema: z.ZodType<T>;

  constructor(path: string, schema: z.ZodType<T>) {
    this.#path = path;
    this.#schema = schema;
  }

  async read(): Promise<T | null> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch (error) {
      throw this.#damaged('it is not JSON', error);
    }
    const checked = check(this.#schema, document);
    if (checked.misfit !== undefined) throw this.#damaged(misfitText(checked.misfit, 'its content'));
    return checked.value;
  }

  async write(data: T): Promise<void> {
    await writeFileAtomic(this.#path, `${safeJson(data, 2)}\n`, { mode: 0o600, fsync: true });
  }

  /** Makes the failure for a damaged file, which is never replaced by an empty one. */
  #damaged(why: string, cause?: unknown): Failure {
    return new Failure('settings', { what: this.#path, why, next: 'repair it, or restore it from a backup' }, cause);
  }
}

/** Opens a state file. Before the first write its content is `initial`. */
export async function openState<T>(path: string, schema: z.ZodType<T>, initial: T): Promise<Low<T>> {
  const db = new Low<T>(new JsonFileAdapter(path, schema), initial);
  await db.read();
  return db;
}
