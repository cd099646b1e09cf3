/**
 * The backups in their stores. The manifest of a backup is written last, and makes it one: what has no manifest is no
 * backup. With several stores each has all of a backup, and each is read if those before it lack it.
 */
import { PassThrough, pipeline, Readable } from 'node:stream';
import pMap from 'p-map';
import type { AgeIdentity } from '../domain/values/age.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { readList, type FileEntry } from './fileList.ts';
import { layout, type BackupName, type Part } from './layout.ts';
import {
  damaged,
  maxManifestBytes,
  parseManifest,
  parseVerification,
  type Manifest,
  type StoredStream,
  type Verification,
} from './manifest.ts';
import type { Store, StoredObject } from './stores/store.ts';
import { decoded, encoded, Meter, together } from './streams.ts';
import { listingFiles, textOf, type FileCount } from './tarFiles.ts';

/** A backup in a list. */
export interface KeptBackup extends BackupName {
  /** Undefined if it cannot be read; then `trouble` says why. */
  readonly manifest: Manifest | undefined;
  readonly trouble: string | undefined;
  readonly verification: Verification | undefined;
  /** The names of the stores that have it. */
  readonly stores: readonly Store['name'][];
}

/** What {@link Repository.write} does not find out itself. */
export type About = Omit<Manifest, 'version' | 'compression' | 'encryption' | 'data' | 'files' | 'tookMs'>;

/** How long a backup without a manifest may still be in the making, in milliseconds: twice the longest time limit. */
const leftoverMs = 48 * 3_600_000;

/** Number of manifests that are read at the same time. */
const readersAtOnce = 8;

export class Repository {
  readonly #stores: readonly Store[];
  readonly #recipients: readonly string[];

  /** The first store gets a backup first. */
  constructor(stores: readonly Store[], recipients: readonly string[]) {
    this.#stores = stores;
    this.#recipients = recipients;
  }

  /** The stores and the recipients, of which a rehearsal makes a repository of its own. */
  get parts(): { readonly stores: readonly Store[]; readonly recipients: readonly string[] } {
    return { stores: this.#stores, recipients: this.#recipients };
  }

  /** Returns the free space of the fullest store; undefined if none of them tells. */
  async freeBytes(): Promise<number | undefined> {
    const known = (await Promise.all(this.#stores.map((store) => store.freeBytes()))).filter(
      (free) => free !== undefined,
    );
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** Returns the backups of a container, or all, the newest first. Rejects if a store does not answer. */
  async list(container?: string, signal?: AbortSignal): Promise<KeptBackup[]> {
    const prefix = container === undefined ? '' : `${container}/`;
    const found = new Map<string, { name: BackupName; stores: Store[]; isVerified: boolean }>();
    for (const store of this.#stores) {
      const backups = byBackup(await store.list(prefix, signal));
      for (const [key, { name, objects }] of backups) {
        if (!objects.has('manifest.json')) continue;
        const known = found.get(key) ?? { name, stores: [], isVerified: false };
        known.stores.push(store);
        found.set(key, { ...known, isVerified: known.isVerified || objects.has('verified.json') });
      }
    }
    const kept = await pMap(
      found.values(),
      ({ name, stores, isVerified }) => this.#kept(name, stores, isVerified, signal),
      {
        concurrency: readersAtOnce,
      },
    );
    return kept.sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : a.container < b.container ? -1 : 1));
  }

  async #kept(
    name: BackupName,
    stores: readonly Store[],
    isVerified: boolean,
    signal?: AbortSignal,
  ): Promise<KeptBackup> {
    const unlessDamaged = async <T>(read: Promise<T>): Promise<T | Failure> =>
      read.catch((error: unknown) => {
        if (isFailure(error, 'backup-damaged')) return error;
        throw error;
      });
    const [manifest, verification] = await Promise.all([
      unlessDamaged(this.manifest(name, signal)),
      isVerified ? unlessDamaged(this.verification(name, signal)) : undefined,
    ]);
    return {
      ...name,
      manifest: manifest instanceof Failure ? undefined : manifest,
      trouble: manifest instanceof Failure ? manifest.why : undefined,
      verification: verification instanceof Failure ? undefined : verification,
      stores: stores.map((store) => store.name),
    };
  }

  /** Reads the manifest of a backup. Rejects with `not-found` or `backup-damaged`. */
  async manifest(name: BackupName, signal?: AbortSignal): Promise<Manifest> {
    return parseManifest(name, await this.#text(name, 'manifest.json', signal));
  }

  /** Reads what the last verification found. Rejects with `not-found` or `backup-damaged`. */
  async verification(name: BackupName, signal?: AbortSignal): Promise<Verification> {
    return parseVerification(name, await this.#text(name, 'verified.json', signal));
  }

  async #text(name: BackupName, part: Part, signal?: AbortSignal): Promise<string> {
    const source = await this.openPart(name, part, signal);
    try {
      return await textOf(source, maxManifestBytes);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw damaged(name, `its ${part} cannot be read`, error);
    }
  }

  /** Opens a part in the first store that has it. If none has it, the failure of a store that did not answer counts. */
  protected async openPart(name: BackupName, part: Part, signal?: AbortSignal): Promise<Readable> {
    let missing: unknown;
    let trouble: Failure | undefined;
    for (const store of this.#stores) {
      try {
        return await store.get(layout.keyOf(name, part), signal);
      } catch (error) {
        if (isFailure(error, 'not-found')) missing = error;
        else trouble ??= Failure.from(error);
      }
    }
    if (trouble !== undefined) throw trouble;
    throw new Failure(
      'not-found',
      {
        what: `backup ${name.id} of ${name.container}`,
        why: part === 'manifest.json' ? 'there is no such backup' : `its ${part} is missing`,
        next: 'see "backup list"',
      },
      missing,
    );
  }

  /**
   * Stores an export as a backup. The failure of any part leaves no backup, but may leave parts, which {@link clear}
   * removes.
   */
  async write(
    about: About,
    source: Readable,
    { now, signal }: { now: () => Date; signal?: AbortSignal },
  ): Promise<Manifest> {
    const name: BackupName = about;
    const [first, ...others] = this.#stores;
    if (first === undefined) throw new Error('a repository without a store');
    const startedMs = now().getTime();
    const [data, files] = [newMeters(), newMeters()];
    const count: FileCount = { listed: 0, omitted: 0 };
    const list = new PassThrough();
    const archive = Readable.from(listingFiles(source, list, count), { objectMode: false });
    // Neither stream may wait for one that has failed.
    archive.on('error', (error) => list.destroy(error));
    list.on('error', (error) => archive.destroy(error));
    await together([
      first.put(layout.keyOf(name, 'data'), encoded(archive, this.#recipients, data.plain, data.stored), signal),
      first
        .put(layout.keyOf(name, 'files'), encoded(list, this.#recipients, files.plain, files.stored), signal)
        .catch((error: unknown) => {
          archive.destroy(error as Error);
          throw error;
        }),
    ]);
    const manifest: Manifest = {
      version: 1,
      ...about,
      compression: 'zstd',
      encryption: this.#recipients.length === 0 ? 'none' : 'age',
      data: measured(data),
      files: { ...measured(files), count: count.listed, omitted: count.omitted },
      tookMs: Math.max(0, now().getTime() - startedMs),
    };
    for (const store of others)
      for (const part of ['data', 'files'] as const)
        await store.put(layout.keyOf(name, part), await first.get(layout.keyOf(name, part), signal), signal);
    // That of the first store is the last: a backup is in all stores, or is none.
    await this.#putText(name, 'manifest.json', manifest, signal);
    return manifest;
  }

  async #putText(name: BackupName, part: Part, document: unknown, signal?: AbortSignal): Promise<void> {
    const text = Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`);
    if (text.length > maxManifestBytes)
      throw new Failure('input-too-large', {
        what: `the ${part} of ${name.container}`,
        why: 'the configuration of the container is too large',
      });
    for (const store of this.#stores.toReversed())
      await store.put(layout.keyOf(name, part), Readable.from([text], { objectMode: false }), signal);
  }

  /** Keeps what a verification found. */
  async recordVerification(name: BackupName, verification: Verification): Promise<void> {
    await this.#putText(name, 'verified.json', verification);
  }

  /** Refuses to read an encrypted backup without an identity. */
  requireIdentity({ id, container, encryption }: Manifest, identity: AgeIdentity | undefined): void {
    if (encryption === 'none' || identity !== undefined) return;
    throw new Failure('usage', {
      what: `backup ${id} of ${container}`,
      why: 'it is encrypted, and this host has no key of it',
      next: 'give the identity of a recipient with --identity',
    });
  }

  /** Opens the export of a backup as Incus wrote it. Its end is an error if the bytes are not those of the manifest. */
  async data(manifest: Manifest, identity: AgeIdentity | undefined, signal?: AbortSignal): Promise<Readable> {
    return this.#decoded(manifest, 'data', manifest.data, identity, signal);
  }

  /** Opens the list of the files of a backup. */
  async *files(manifest: Manifest, identity: AgeIdentity | undefined, signal?: AbortSignal): AsyncGenerator<FileEntry> {
    yield* readList(await this.#decoded(manifest, 'files', manifest.files, identity, signal));
  }

  /** Opens the data of a backup as they are stored. Their end is an error if they are not those of the manifest. */
  async stored(manifest: Manifest, signal?: AbortSignal): Promise<Readable> {
    const { storedBytes, storedSha256 } = manifest.data;
    const source = await this.openPart(manifest, 'data', signal);
    const meter = new Meter(storedBytes);
    // Unlike pipe, it also ends the source when the reader leaves.
    pipeline(source, meter, () => undefined);
    return checkedAtEnd(manifest, 'data', meter, () => {
      if (meter.sha256 !== storedSha256) throw damaged(manifest, 'its data is not what was stored');
    });
  }

  async #decoded(
    name: Manifest,
    part: 'data' | 'files',
    wanted: StoredStream,
    given: AgeIdentity | undefined,
    signal?: AbortSignal,
  ): Promise<Readable> {
    this.requireIdentity(name, given);
    const identity = name.encryption === 'age' ? given : undefined;
    const source = await this.openPart(name, part, signal);
    const [stored, plain] = [new Meter(wanted.storedBytes), new Meter(wanted.plainBytes)];
    return checkedAtEnd(name, part, decoded(source, identity, stored, plain), () => {
      if (stored.sha256 !== wanted.storedSha256) throw damaged(name, `its ${part} is not what was stored`);
      if (plain.sha256 !== wanted.plainSha256) throw damaged(name, `its ${part} is not what was exported`);
    });
  }

  /** Deletes the manifests of a backup, and so the backup. {@link clear} removes the rest. */
  async forget(name: BackupName): Promise<void> {
    for (const store of this.#stores) await store.delete(layout.keyOf(name, 'manifest.json'));
  }

  /** Reports whether a store has a manifest of this backup. Rejects if it cannot find out. */
  async has(name: BackupName): Promise<boolean> {
    for (const store of this.#stores) {
      const found = await store.list(layout.prefixOf(name));
      if (found.some(({ key }) => key === layout.keyOf(name, 'manifest.json'))) return true;
    }
    return false;
  }

  /** Deletes everything of a backup, what was stored in part included. */
  async clear(name: BackupName): Promise<void> {
    await this.forget(name);
    for (const store of this.#stores) await store.clear(layout.prefixOf(name));
  }

  /** Deletes what interrupted calls have left: parts of backups without a manifest, two days old. */
  async sweep(now: Date): Promise<void> {
    const before = new Date(now.getTime() - leftoverMs);
    for (const store of this.#stores) {
      for (const { name, objects } of byBackup(await store.list('')).values()) {
        const isOld = [...objects.values()].every(({ modifiedAt }) => modifiedAt < before);
        if (isOld && !objects.has('manifest.json')) await store.clear(layout.prefixOf(name));
      }
      await store.sweep(before);
    }
  }
}

function newMeters(): { readonly plain: Meter; readonly stored: Meter } {
  return { plain: new Meter(), stored: new Meter() };
}

function measured({ plain, stored }: ReturnType<typeof newMeters>): StoredStream {
  return {
    plainBytes: plain.bytes,
    plainSha256: plain.sha256,
    storedBytes: stored.bytes,
    storedSha256: stored.sha256,
  };
}

/** Groups keys by backup, and leaves out those that no backup has. */
function byBackup(
  objects: readonly StoredObject[],
): Map<string, { readonly name: BackupName; readonly objects: Map<Part, StoredObject> }> {
  const found = new Map<string, { readonly name: BackupName; readonly objects: Map<Part, StoredObject> }>();
  for (const object of objects) {
    const parsed = layout.parseKey(object.key);
    if (parsed === undefined) continue;
    const { container, id, part } = parsed;
    const prefix = layout.prefixOf(parsed);
    const known = found.get(prefix) ?? { name: { container, id }, objects: new Map<Part, StoredObject>() };
    known.objects.set(part, object);
    found.set(prefix, known);
  }
  return found;
}

/** Passes a stream on, and calls `check` at its end. Errors of libraries become one about the backup. */
function checkedAtEnd(name: BackupName, part: Part, chunks: Readable, check: () => void): Readable {
  const passed = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* chunks as AsyncIterable<Buffer>;
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw damaged(name, `its ${part} cannot be read: ${error instanceof Error ? error.message : ''}`, error);
    }
    check();
  };
  return Readable.from(passed(), { objectMode: false });
}
