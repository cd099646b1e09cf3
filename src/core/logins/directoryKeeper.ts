/** Who may log in, kept up to date from the state files and from Incus, and told to whoever decides by it. */
import type { Logger } from 'pino';
import { emptyDirectory, type Directory } from '../../domain/access/directory.ts';
import { Failure } from '../../domain/failure.ts';
import type { HostContext } from '../../service/instances/context.ts';
import { collectOwners, makeDirectory, type OwnState, type Owner } from '../../service/access/directory.ts';

export interface DirectoryKeeperOptions {
  readonly service: HostContext;
  readonly own: OwnState;
  readonly log: Logger;
  /** Told of each new state. */
  readonly changed: (directory: Directory) => void;
  /** Told whether Incus could be asked. */
  readonly asked: (answered: boolean) => void;
}

export class DirectoryKeeper {
  readonly #options: DirectoryKeeperOptions;
  #owners: readonly Owner[] = [];
  #directory: Directory = emptyDirectory;

  constructor(options: DirectoryKeeperOptions) {
    this.#options = options;
  }

  get directory(): Directory {
    return this.#directory;
  }

  /**
   * Reads everything again. Never rejects: while Incus cannot be asked, owners keep what they had; admins are known
   * without it and must be able to look.
   */
  async refresh(): Promise<void> {
    const { service, own, log, changed, asked } = this.#options;
    try {
      this.#owners = await collectOwners(service);
      asked(true);
    } catch (error) {
      asked(false);
      log.warn({ why: Failure.from(error).message }, 'the keys of container owners could not be read');
    }
    this.#directory = makeDirectory(own, this.#owners);
    changed(this.#directory);
  }
}
