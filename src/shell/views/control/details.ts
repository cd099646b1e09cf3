/** The details of one container. They are fetched again when the container changes, one request at a time. */
import type { AnyVerb } from '../../../catalogue/catalogue.ts';
import type { Block } from '../../../catalogue/declaration/view.ts';
import type { Actor } from '../../../domain/access/actor.ts';
import { Failure } from '../../../domain/failure.ts';
import type { FeedUpdate } from '../../../domain/events/notice.ts';
import type { CoreClient } from '../../../protocol/client.ts';

export interface DetailsOptions {
  readonly user: string;
  readonly verb: AnyVerb;
  readonly actor: Actor;
  readonly core: Pick<CoreClient, 'call'>;
  readonly show: (blocks: readonly Block[]) => void;
}

export class Details {
  readonly #options: DetailsOptions;
  readonly #abort = new AbortController();
  #isFetching = false;
  #isOutdated = false;

  constructor(options: DetailsOptions) {
    this.#options = options;
    void this.#fetch();
  }

  apply({ whole, changed, removed }: FeedUpdate): void {
    const { user, show } = this.#options;
    const seen = changed.some((container) => container.user === user);
    if (removed.includes(user) || (whole && !seen))
      show([{ kind: 'text', tone: 'bad', text: `The container of ${user} no longer exists` }]);
    else if (seen) void this.#fetch();
  }

  end(): void {
    this.#abort.abort();
  }

  async #fetch(): Promise<void> {
    const { user, verb, actor, core, show } = this.#options;
    const { signal } = this.#abort;
    if (signal.aborted) return;
    if (this.#isFetching) {
      this.#isOutdated = true;
      return;
    }
    this.#isFetching = true;
    try {
      const answer = await core.call({ actor, verb: verb.name, input: { user } }, () => undefined, signal);
      if (!this.#abort.signal.aborted) show(verb.view(answer.result as never, { now: new Date(), terminal: true }));
    } catch (error) {
      const { what, why } = Failure.from(error);
      if (!this.#abort.signal.aborted) show([{ kind: 'text', tone: 'bad', text: `${what}: ${why}` }]);
    } finally {
      this.#isFetching = false;
    }
    this.#catchUp();
  }

  /** Fetches again if the container changed during the last request. */
  #catchUp(): void {
    if (!this.#isOutdated) return;
    this.#isOutdated = false;
    void this.#fetch();
  }
}
