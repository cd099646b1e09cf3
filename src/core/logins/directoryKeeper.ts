/** Keeps the directory of who may log in up to date, from the state files and from Incus. */
import type { Logger } from 'pino';
import { AnswerOrder } from '../../domain/answerOrder.ts';
import { emptyDirectory, type Directory } from '../../domain/access/directory.ts';
import { Failure } from '../../domain/failure.ts';
import type { HostContext } from '../../service/instances/context.ts';
import type { Ending } from '../../service/jobs/notes.ts';
import { collectOwners, makeDirectory, type OwnState, type Owner } from '../../service/access/directory.ts';

export interface DirectoryKeeperOptions {
  readonly service: HostContext;
  readonly own: OwnState;
  readonly log: Logger;
  /** Called with each new directory. */
  readonly changed: (directory: Directory) => void;
  /** Called after each query of Incus; `answered` is false if it failed. */
  readonly queried: (answered: boolean) => void;
}

export class DirectoryKeeper {
  readonly #options: DirectoryKeeperOptions;
  #owners: readonly Owner[] = [];
  readonly #order = new AnswerOrder();
  #directory: Directory = emptyDirectory;

  constructor(options: DirectoryKeeperOptions) {
    this.#options = options;
  }

  /** The containers that move to the trash by themselves. */
  get endings(): Ending[] {
    return this.#owners.flatMap(({ user, expiresAt }) => (expiresAt === undefined ? [] : [{ user, expiresAt }]));
  }

  get directory(): Directory {
    return this.#directory;
  }

  /**
   * Reads the owners' keys from Incus and builds the directory again. Never rejects: while Incus does not answer, the
   * owners' keys stay as they were. Admins are not stored in Incus, and must be able to log in and find out why Incus
   * does not answer. An answer that is overtaken by that of a later query is dropped: it may have a key that was
   * removed in between.
   */
  async refresh(): Promise<void> {
    const { service, own, log, changed, queried } = this.#options;
    const isLatest = this.#order.ask();
    const askedAtMs = service.now().getTime();
    try {
      const owners = await collectOwners(service);
      queried(true);
      if (isLatest()) {
        this.#owners = owners;
        await own.invitations
          .endOfGone(owners, askedAtMs)
          .catch((error: unknown) =>
            log.warn({ why: Failure.from(error).message }, 'an invitation could not be ended'),
          );
      }
    } catch (error) {
      queried(false);
      log.warn({ why: Failure.from(error).message }, 'the keys of container owners could not be read');
    }
    this.#directory = makeDirectory(own, this.#owners);
    changed(this.#directory);
  }
}
