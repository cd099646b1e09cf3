/**
 * A place of backups in a rehearsal: it reads what the real one has and writes nothing there. Of the real one it opens
 * what says which backups there are, and never their data, which are large and perhaps encrypted.
 */
import { Readable } from 'node:stream';
import type { PlannedTransfer } from '../../domain/results/plan.ts';
import { layout, type Part } from '../../repository/layout.ts';
import { notStored, requireKey, type Store, type StoredObject } from '../../repository/stores/store.ts';

/** What a rehearsal has stored under a key; null if it has deleted what was there. */
type Change = { readonly object: StoredObject; readonly content: Buffer } | null;

/** The changes of a rehearsal in one store, by key. */
export type StoreChanges = Map<string, Change>;

export interface RehearsedStoreOptions {
  readonly real: Store;
  readonly changes: StoreChanges;
  readonly note: (transfer: PlannedTransfer) => void;
  /** Ends what is asked of the real store. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

/** The parts that are read. */
const readable: readonly (Part | undefined)[] = ['manifest.json', 'verified.json'];

export class RehearsedStore implements Store {
  readonly name: Store['name'];
  readonly place: string;
  readonly #options: RehearsedStoreOptions;

  constructor(options: RehearsedStoreOptions) {
    this.name = options.real.name;
    this.place = options.real.place;
    this.#options = options;
  }

  async put(key: string, source: Readable): Promise<void> {
    requireKey(key);
    this.#note('store', key);
    const isKept = isReadable(key);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of source as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (isKept) chunks.push(chunk);
    }
    const { changes, now } = this.#options;
    changes.set(key, { object: { key, bytes, modifiedAt: now() }, content: Buffer.concat(chunks) });
  }

  /** Opens an object. Data that a real store has are empty here. */
  async get(key: string): Promise<Readable> {
    requireKey(key);
    const { real, changes, signal } = this.#options;
    const change = changes.get(key);
    if (change === null) throw notStored(this.place, key);
    if (change !== undefined) return streamOf(change.content);
    if (isReadable(key)) return real.get(key, signal);
    if (!(await this.#has(key))) throw notStored(this.place, key);
    return streamOf(Buffer.alloc(0));
  }

  async list(prefix: string): Promise<StoredObject[]> {
    const { real, changes, signal } = this.#options;
    const kept = (await real.list(prefix, signal)).filter(({ key }) => !changes.has(key));
    const stored = [...changes.values()].flatMap((change) => (change === null ? [] : [change.object]));
    return [...kept, ...stored.filter(({ key }) => key.startsWith(prefix))];
  }

  async delete(key: string): Promise<void> {
    requireKey(key);
    if (!(await this.#has(key))) return;
    this.#options.changes.set(key, null);
    this.#note('delete', key);
  }

  async clear(prefix: string): Promise<void> {
    requireKey(prefix);
    const found = await this.list(prefix);
    for (const { key } of found) this.#options.changes.set(key, null);
    if (found.length > 0) this.#note('delete', prefix);
  }

  /** What was stored in part is in no list, so a plan cannot say whether there is any. */
  sweep(before: Date): Promise<void> {
    this.#note('delete', `what interrupted backups left in part before ${before.toISOString()}`);
    return Promise.resolve();
  }

  requireWritable(): Promise<void> {
    return this.#options.real.requireWritable();
  }

  freeBytes(): Promise<number | undefined> {
    return this.#options.real.freeBytes();
  }

  async #has(key: string): Promise<boolean> {
    const folder = key.slice(0, key.lastIndexOf('/') + 1);
    return (await this.list(folder)).some((object) => object.key === key);
  }

  #note(kind: 'store' | 'delete', what: string): void {
    this.#options.note({ kind, what, where: this.name === 'directory' ? `the folder ${this.place}` : this.place });
  }
}

function isReadable(key: string): boolean {
  return readable.includes(layout.parseKey(key)?.part);
}

function streamOf(content: Buffer): Readable {
  return Readable.from(content.length === 0 ? [] : [content], { objectMode: false });
}
