/** Writes the head of the journal outside: to a file, a web server, the system log (journal/history/anchors.ts). */
import { Failure } from '../../domain/failure.ts';
import { post } from '../../host/outside/post.ts';
import { logToSyslog } from '../../host/outside/syslog.ts';
import type { Runner } from '../../host/runner.ts';
import type { ChainHead } from '../../journal/chain.ts';
import { appendAnchor, type Anchor } from '../../journal/history/anchors.ts';
import type { Settings } from '../../settings/settings.ts';

export interface AnchorsOptions {
  readonly places: Settings['journal']['anchor'];
  readonly runner: Runner;
  /** The last record that is on disk. */
  readonly head: () => ChainHead;
  /** The name of this host. */
  readonly host: string;
  readonly now: () => Date;
}

interface Place {
  readonly name: string;
  write(anchor: Anchor): Promise<void>;
}

export class Anchors {
  readonly #options: AnchorsOptions;
  #last: Promise<unknown> = Promise.resolve();
  #trouble: string | undefined;

  constructor(options: AnchorsOptions) {
    this.#options = options;
  }

  /** Why the last attempt failed; undefined if it worked. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /**
   * Writes the head to every place. Resolves to a clause that says what was written, or to undefined if the settings
   * name no place. Rejects with the first failure, after it has tried all places.
   */
  write(): Promise<string | undefined> {
    const next = this.#last.catch(() => undefined).then(() => this.#write());
    this.#last = next;
    return next;
  }

  async #write(): Promise<string | undefined> {
    const places = this.#places();
    if (places.length === 0) return undefined;
    const { head, now } = this.#options;
    const { seq, hash } = head();
    const written: string[] = [];
    const failed: Failure[] = [];
    for (const place of places)
      await place.write({ seq, hash, time: now().toISOString() }).then(
        () => written.push(place.name),
        (error: unknown) => failed.push(failureAt(place, error)),
      );
    const [first] = failed;
    this.#trouble = failed.length === 0 ? undefined : failed.map(({ what, why }) => `${what}: ${why}`).join('; ');
    if (first !== undefined) throw first;
    return `record ${seq} anchored: ${written.join(', ')}`;
  }

  #places(): Place[] {
    const { places, runner, host } = this.#options;
    const { file, url, syslog } = places;
    return [
      ...(file === undefined ? [] : [{ name: 'file', write: (anchor: Anchor) => appendAnchor(file, anchor) }]),
      ...(url === undefined
        ? []
        : [
            {
              name: 'url',
              write: ({ seq, hash, time }: Anchor) =>
                post({
                  url,
                  id: `${seq}-${hash.slice(0, 16)}`,
                  document: { type: 'journal-head', host, seq, hash, time },
                }),
            },
          ]),
      ...(syslog
        ? [
            {
              name: 'syslog',
              write: ({ seq, hash, time }: Anchor) => logToSyslog(runner, `journal head ${seq} ${hash} ${time}`),
            },
          ]
        : []),
    ];
  }
}

function failureAt({ name }: Place, error: unknown): Failure {
  const { code, why, next } = Failure.from(error);
  const what = `the anchor of the journal by ${name}`;
  return new Failure(code, { what, why, ...(next === undefined ? {} : { next }) }, error);
}
