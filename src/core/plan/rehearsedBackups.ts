/**
 * The backups of a rehearsal. It has the lists and the manifests of the real stores, and what the rehearsal itself has
 * changed there. What is made of a backup is made of its manifest.
 */
import { Readable } from 'node:stream';
import type { PlannedTransfer } from '../../domain/results/plan.ts';
import type { AgeIdentity } from '../../domain/values/age.ts';
import type { FileEntry } from '../../repository/fileList.ts';
import type { Manifest } from '../../repository/manifest.ts';
import { Repository } from '../../repository/repository.ts';
import { field } from '../../service/instances/metadata.ts';
import { archiveOf } from '../../simulated/incus/backups.ts';
import { streamOf } from '../../simulated/zfs/sent.ts';
import { filesOf } from './hostCopy.ts';
import { RehearsedStore, type StoreChanges } from './rehearsedStore.ts';

export interface RehearsedBackupsOptions {
  /** Opens the real repository. */
  readonly real: () => Promise<Repository>;
  /** Takes what the plan says besides its steps. */
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

export class RehearsedBackups {
  readonly #options: RehearsedBackupsOptions;
  /** By the place of the store among the others. */
  readonly #changes: StoreChanges[] = [];
  /** The ids of the backups that the rehearsal itself has made. */
  readonly #own = new Set<string>();

  constructor(options: RehearsedBackupsOptions) {
    this.#options = options;
  }

  /** Opens the repository, with the changes until now. Rejects as the real one does. */
  async open(note: (transfer: PlannedTransfer) => void): Promise<Repository> {
    const { real, say, signal, now } = this.#options;
    const { stores, recipients } = (await real()).parts;
    const rehearsed = stores.map(
      (store, i) => new RehearsedStore({ real: store, changes: (this.#changes[i] ??= new Map()), note, signal, now }),
    );
    return new RehearsedRepository(rehearsed, recipients, this.#own, say);
  }
}

class RehearsedRepository extends Repository {
  readonly #own: Set<string>;
  readonly #say: (text: string) => void;

  constructor(
    stores: readonly RehearsedStore[],
    recipients: readonly string[],
    own: Set<string>,
    say: (text: string) => void,
  ) {
    super(stores, recipients);
    this.#own = own;
    this.#say = say;
  }

  override async write(...[about, ...rest]: Parameters<Repository['write']>): Promise<Manifest> {
    const manifest = await super.write(about, ...rest);
    this.#own.add(about.id);
    return manifest;
  }

  override async writeZfs(...[about, ...rest]: Parameters<Repository['writeZfs']>): Promise<Manifest> {
    const manifest = await super.writeZfs(about, ...rest);
    this.#own.add(about.id);
    return manifest;
  }

  /** Opens an archive of what the manifest says. Rejects if the data are missing. */
  override async data(manifest: Manifest, identity: AgeIdentity | undefined): Promise<Readable> {
    await this.#require(manifest, 'data', identity);
    const { id, config, devices } = manifest;
    if (!this.#own.has(id)) this.#say(`Backup ${id} is not read for a plan, which cannot tell whether it is whole`);
    const content = { files: filesOf(config[field.hostKey]), prepared: true, isCopy: true };
    if (manifest.version === 1) return archiveOf({ config, devices, ...content });
    const { container, guid, base } = manifest;
    const on = base === null ? undefined : await this.manifest({ container, id: base });
    const fromGuid = on?.version === 2 ? on.guid : '0';
    return Readable.from([streamOf({ guid, fromGuid, removed: [], ...content })], { objectMode: false });
  }

  override async *files(manifest: Manifest, identity: AgeIdentity | undefined): AsyncGenerator<FileEntry> {
    yield* await this.#unread(manifest, identity);
  }

  async #unread(manifest: Manifest, identity: AgeIdentity | undefined): Promise<readonly FileEntry[]> {
    await this.#require(manifest, 'files', identity);
    this.#say('Files of the throwaway container are compared with the list of the backup');
    return [];
  }

  async #require(manifest: Manifest, part: 'data' | 'files', identity: AgeIdentity | undefined): Promise<void> {
    this.requireIdentity(manifest, identity);
    (await this.openPart(manifest, part)).destroy();
  }
}
