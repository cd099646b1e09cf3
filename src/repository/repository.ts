/**
 * The backups in their stores. The manifest of a backup is written last, and makes it one: what has no manifest is no
 * backup. With several stores each has all of a backup, and each is read if those before it lack it.
 */
import { createHash } from 'node:crypto';
import { PassThrough, pipeline, Readable } from 'node:stream';
import pMap from 'p-map';
import type { AgeIdentity } from '../domain/values/age.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { chainOf } from './chain.ts';
import { readList, type FileEntry } from './fileList.ts';
import { layout, type BackupName, type Part } from './layout.ts';
import {
  damaged,
  maxManifestBytes,
  parseManifest,
  parseVerification,
  type ExportManifest,
  type Manifest,
  type StoredStream,
  type Verification,
  type ZfsManifest,
} from './manifest.ts';
import { byBackup } from './objects.ts';
import type { Store } from './stores/store.ts';
import { checkedAtEnd, decoded, encoded, forked, measured, Meter, newMeters, sealed, together } from './streams.ts';
import { listFiles, textOf, type FileCount } from './tarFiles.ts';
import { missingText, troubleOf } from './trouble.ts';

/** A backup in a list. */
export interface KeptBackup extends BackupName {
  /** Undefined if it cannot be read; then `trouble` says why. */
  readonly manifest: Manifest | undefined;
  readonly trouble: string | undefined;
  readonly verification: Verification | undefined;
  /** The names of the stores that have it. */
  readonly stores: readonly Store['name'][];
  /** Whether it is in all stores. */
  readonly isEverywhere: boolean;
}

/** What {@link Repository} finds out itself when it stores a backup. */
type Found = 'version' | 'compression' | 'encryption' | 'data' | 'files' | 'tookMs';

/** What {@link Repository.write} does not find out itself. */
export type About = Omit<ExportManifest, Found>;

/** What {@link Repository.writeZfs} does not find out itself. */
export type ZfsAbout = Omit<ZfsManifest, Found | 'format' | 'recipientsSha256'>;

/** A backup as the stores list it. */
interface FoundBackup {
  readonly name: BackupName;
  readonly stores: Store[];
  readonly parts: Set<Part>;
}

/** How a backup is stored. */
export interface Storing {
  readonly now: () => Date;
  readonly signal?: AbortSignal;
}

/** How long a backup without a manifest may still be in the making, in milliseconds: twice the longest time limit. */
const leftoverMs = 48 * 3_600_000;

/** Number of manifests that are read at the same time. */
const readersAtOnce = 8;

/** What is stored as a part of a backup. */
interface PartSource {
  readonly stream: Readable;
  /** Set if the stream is compressed already: measures it as it was before. */
  readonly plain?: Meter;
}

/** The parts of a backup of ZFS. */
export interface ZfsParts {
  readonly data: Readable;
  /** The list of the files, as lines of `sha256sum`. */
  readonly files: Readable;
  /** Returns the number of files, when the list has ended. */
  readonly count: () => FileCount;
  /** Rejects if the backup must not become one. */
  readonly confirm: () => Promise<void>;
}

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

  /** Rejects if one of the stores takes no backup. */
  async requireWritable(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.requireWritable()));
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
    const found = new Map<string, FoundBackup>();
    for (const store of this.#stores) {
      const backups = byBackup(await store.list(prefix, signal));
      for (const [key, { name, objects }] of backups) {
        if (!objects.has('manifest.json')) continue;
        const known = found.get(key) ?? { name, stores: [], parts: new Set<Part>() };
        known.stores.push(store);
        for (const part of objects.keys()) known.parts.add(part);
        found.set(key, known);
      }
    }
    const kept = await pMap(found.values(), (each) => this.#kept(each, signal), { concurrency: readersAtOnce });
    return kept.sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : a.container < b.container ? -1 : 1));
  }

  async #kept({ name, stores, parts }: FoundBackup, signal?: AbortSignal): Promise<KeptBackup> {
    const unlessDamaged = async <T>(read: Promise<T>): Promise<T | Failure> =>
      read.catch((error: unknown) => {
        if (isFailure(error, 'backup-damaged')) return error;
        throw error;
      });
    const [manifest, verification] = await Promise.all([
      unlessDamaged(this.manifest(name, signal)),
      parts.has('verified.json') ? unlessDamaged(this.verification(name, signal)) : undefined,
    ]);
    const missing = (['data', 'files'] as const).find((part) => !parts.has(part));
    return {
      ...name,
      manifest: manifest instanceof Failure ? undefined : manifest,
      trouble: troubleOf(manifest, missing, verification),
      verification: verification instanceof Failure ? undefined : verification,
      stores: stores.map((store) => store.name),
      isEverywhere: stores.length === this.#stores.length,
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

  /** Returns the backups that one of ZFS needs, the full one first and itself last. Rejects with `backup-damaged`. */
  chain(manifest: ZfsManifest, signal?: AbortSignal): Promise<ZfsManifest[]> {
    return chainOf(manifest, (name) => this.manifest(name, signal));
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
    if (part !== 'manifest.json') throw damaged(name, missingText(part), missing);
    throw new Failure(
      'not-found',
      { what: `backup ${name.id} of ${name.container}`, why: 'there is no such backup', next: 'see "backup list"' },
      missing,
    );
  }

  /**
   * Stores an export, which Incus has compressed, as a backup. The failure of any part leaves no backup, but may leave
   * parts, which {@link clear} removes.
   */
  async write(about: About, source: Readable, storing: Storing): Promise<Manifest> {
    const count: FileCount = { listed: 0, omitted: 0 };
    const list = new PassThrough();
    const plain = new Meter();
    const { original, expanded } = forked(source, plain);
    // Neither stream may wait for one that has failed.
    const streams = [original, expanded, list];
    const failed = (error: Error): void => {
      for (const stream of streams) stream.destroy(error);
    };
    for (const stream of streams) stream.on('error', failed);
    listFiles(expanded, list, count).catch((error: unknown) => failed(error as Error));
    const parts = { data: { stream: original, plain }, files: { stream: list } };
    const found = await this.#storeParts(about, parts, storing);
    const manifest: Manifest = { version: 1, ...about, ...found(count) };
    await this.#storeManifest(manifest, storing);
    return manifest;
  }

  /**
   * Stores a stream of ZFS as a backup, and the list of its files, whose number is known when it has ended. `confirm`
   * is called before the manifest makes it a backup.
   */
  async writeZfs(about: ZfsAbout, { data, files, count, confirm }: ZfsParts, storing: Storing): Promise<Manifest> {
    const found = await this.#storeParts(about, { data: { stream: data }, files: { stream: files } }, storing);
    const manifest: Manifest = {
      version: 2,
      format: 'zfs',
      ...about,
      recipientsSha256: this.recipientsSha256,
      ...found(count()),
    };
    await confirm();
    await this.#storeManifest(manifest, storing);
    return manifest;
  }

  /** Checksum of the recipients, by which a backup can be told that other people can read; null if there are none. */
  get recipientsSha256(): string | null {
    if (this.#recipients.length === 0) return null;
    return createHash('sha256')
      .update([...this.#recipients].sort().join('\n'))
      .digest('hex');
  }

  /** Stores the data and the list of files, and returns what is known of them then. */
  async #storeParts(
    name: BackupName,
    sources: Readonly<Record<'data' | 'files', PartSource>>,
    { now, signal }: Storing,
  ): Promise<(count: FileCount) => Pick<Manifest, Exclude<Found, 'version'>>> {
    const [first, ...others] = this.#stores;
    if (first === undefined) throw new Error('a repository without a store');
    const startedMs = now().getTime();
    const meters = { data: newMeters(sources.data.plain), files: newMeters(sources.files.plain) };
    const stored = (part: 'data' | 'files'): Promise<void> => {
      const [{ stream, plain: isCompressed }, { plain, stored: kept }] = [sources[part], meters[part]];
      const made =
        isCompressed === undefined
          ? encoded(stream, this.#recipients, plain, kept)
          : sealed(stream, this.#recipients, kept);
      return first.put(layout.keyOf(name, part), made, signal);
    };
    const other = { data: sources.files.stream, files: sources.data.stream };
    await together(
      (['data', 'files'] as const).map((part) =>
        stored(part).catch((error: unknown) => {
          other[part].destroy(error as Error);
          throw error;
        }),
      ),
    );
    for (const store of others)
      for (const part of ['data', 'files'] as const)
        await store.put(layout.keyOf(name, part), await first.get(layout.keyOf(name, part), signal), signal);
    return ({ listed, omitted }) => ({
      compression: 'zstd',
      encryption: this.#recipients.length === 0 ? 'none' : 'age',
      data: measured(meters.data),
      files: { ...measured(meters.files), count: listed, omitted },
      tookMs: Math.max(0, now().getTime() - startedMs),
    });
  }

  /** Stores the manifest. That of the first store is the last: a backup is in all stores, or is none. */
  #storeManifest(manifest: Manifest, { signal }: Storing): Promise<void> {
    return this.#putText(manifest, 'manifest.json', manifest, signal);
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
