/** Shared by the journal's tests: temporary folders, a ticking clock, and files that fail on command. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { realFiles, type JournalFiles, type SegmentFile } from '../../../src/journal/files.ts';
import { Journal, type JournalOptions, type JournalRecord } from '../../../src/journal/journal.ts';

/** Makes a folder for one test, and removes it after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'journal-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Makes a clock that starts at `start` and advances by a second with each call. */
export function tickingClock(start = '2026-01-01T00:00:00.000Z'): () => number {
  let ms = Date.parse(start);
  return () => (ms += 1000);
}

/** Writes a journal with `count` records of type `note`, numbered by `n`, closes it, and returns its folder. */
export async function writtenJournal(count: number, options: Partial<JournalOptions> = {}): Promise<string> {
  const folder = options.folder ?? (await temporaryFolder());
  const journal = await Journal.open({ now: tickingClock(), ...options, folder });
  for (let n = 1; n <= count; n += 1) await journal.append({ type: 'note', n });
  await journal.close();
  return folder;
}

export async function linesOf(folder: string, segment = '000001.jsonl'): Promise<string[]> {
  return (await readFile(join(folder, segment), 'utf8')).split('\n').slice(0, -1);
}

export async function segmentNames(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).sort();
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export function notesOf(records: readonly JournalRecord[]): number[] {
  return records.filter(({ type }) => type === 'note').map((record) => record['n'] as number);
}

export function errno(code: string, text = 'it was made to fail'): Error {
  return Object.assign(new Error(`${code}: ${text}`), { code });
}

/** Real files with a hook before each operation. A hook that throws makes the operation fail. Counts all calls. */
export class TroubledFiles implements JournalFiles {
  readonly calls = { open: 0, write: 0, datasync: 0, truncate: 0, remove: 0, syncFolder: 0 };
  /** Called before each operation. */
  before: (operation: keyof TroubledFiles['calls']) => void = () => undefined;
  /** Maximum number of bytes that one write accepts. */
  maxBytes = Infinity;

  async open(path: string, how: 'create' | 'existing'): Promise<SegmentFile> {
    this.#note('open');
    const file = await realFiles.open(path, how);
    return {
      ...file,
      write: async (bytes, position) => {
        this.#note('write');
        return file.write(bytes.subarray(0, this.maxBytes), position);
      },
      datasync: async () => {
        this.#note('datasync');
        await file.datasync();
      },
      truncate: async (length) => {
        this.#note('truncate');
        await file.truncate(length);
      },
    };
  }

  async remove(path: string): Promise<void> {
    this.#note('remove');
    await realFiles.remove(path);
  }

  async syncFolder(folder: string): Promise<void> {
    this.#note('syncFolder');
    await realFiles.syncFolder(folder);
  }

  #note(operation: keyof TroubledFiles['calls']): void {
    this.calls[operation] += 1;
    this.before(operation);
  }
}
