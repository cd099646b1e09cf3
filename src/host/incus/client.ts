/** Incus: changes run its own client, reads ask its API. */
import type { z } from 'zod';
import { check, misfitText } from '../../domain/check.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { Command, Output, Runner } from '../runner.ts';
import { whenFree } from './busy.ts';
import type { IncusReads } from './reads.ts';

/** Time limits in milliseconds, by kind of work. */
export interface IncusLimits {
  readonly readMs: number;
  readonly changeMs: number;
  /** Work that copies or unpacks data: create, publish, launch of a base image. */
  readonly copyMs: number;
  /** A clean shutdown, after which a stop fails. What stops an instance may take as long as a change after it. */
  readonly shutdownMs: number;
}

export const defaultIncusLimits: IncusLimits = {
  readMs: 20_000,
  changeMs: 60_000,
  copyMs: 900_000,
  shutdownMs: 30_000,
};

/** What Incus does after a clean shutdown, for which another change waits, in milliseconds. */
const afterShutdownMs = 15_000;

/**
 * Matches stderr of the client when it cannot reach its server or is not trusted by it (incus 6.0: remote.go of its
 * configuration, and what Go's HTTP client says). Not every refused connection: a refusal of Incus may name one of its
 * own to a container.
 */
const unreachable =
  /daemon doesn't appear to be started|needed permissions to talk to the incus daemon|unix\.socket\S* (?:dial unix \S+ )?connect: |server doesn't trust/i;

/** Runs the client. Rejects with `incus-unavailable` if its server does not answer, or with the runner's failures. */
export async function runIncus(
  runner: Runner,
  args: readonly string[],
  options: Omit<Command, 'program' | 'args'>,
): Promise<Output> {
  try {
    return await runner.run({ program: 'incus', args, ...options });
  } catch (error) {
    const stderr =
      isFailure(error, 'program-failed') && typeof error.details?.['stderr'] === 'string'
        ? error.details['stderr']
        : '';
    if (unreachable.test(stderr) || isFailure(error, 'program-missing')) {
      throw new Failure(
        'incus-unavailable',
        {
          what: 'Incus',
          why: isFailure(error, 'program-missing')
            ? 'the program "incus" is not installed'
            : 'its server does not answer',
          next: 'see "doctor"',
          details: { stderr },
        },
        error,
      );
    }
    throw error;
  }
}

/** Ways to an Incus, real or simulated. */
export interface IncusAccess {
  readonly runner: Runner;
  readonly reads: IncusReads;
}

export class IncusClient {
  readonly #runner: Runner;
  readonly #reads: IncusReads;
  readonly #limits: IncusLimits;
  readonly #listeners = new Set<(names: readonly string[]) => void>();

  constructor({ runner, reads }: IncusAccess, limits: IncusLimits) {
    this.#runner = runner;
    this.#reads = reads;
    this.#limits = limits;
  }

  /** Runs the client, see {@link runIncus}. */
  run(args: readonly string[], options: Omit<Command, 'program' | 'args'>): Promise<Output> {
    return runIncus(this.#runner, args, options);
  }

  /** Runs a change of an existing instance, after one that Incus runs already. `others` are changed with it. */
  async change(
    name: string,
    args: readonly string[],
    options: Pick<Command, 'timeoutMs'>,
    others: readonly string[] = [],
  ): Promise<void> {
    await this.changing([name, ...others], () =>
      whenFree(name, () => this.run(args, options), this.#limits.shutdownMs + afterShutdownMs),
    );
  }

  /** Runs a change of these instances. Whatever comes of it, they are no longer what was read before. */
  async changing<T>(names: readonly string[], change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } finally {
      for (const listener of this.#listeners) listener(names);
    }
  }

  /** Calls `listener` with the names of the instances after each change of this server. */
  onChange(listener: (names: readonly string[]) => void): void {
    this.#listeners.add(listener);
  }

  /** Reads a document of the REST API. Rejects with `unexpected-output` if it is not what `schema` describes. */
  async query<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal, maxBytes?: number): Promise<T> {
    const document = await this.#reads.document(path, { timeoutMs: this.#limits.readMs, signal, maxBytes });
    const checked = check(schema, document);
    if (checked.misfit === undefined) return checked.value;
    throw new Failure('unexpected-output', {
      what: `"GET ${path}"`,
      why: `the reply of Incus has an unexpected format: ${misfitText(checked.misfit, 'the document')}`,
      next: 'check the version of Incus on this host, see "doctor"',
    });
  }

  /** Reads an answer of the REST API that is text. */
  text(path: string, signal?: AbortSignal): Promise<string> {
    return this.#reads.text(path, { timeoutMs: this.#limits.readMs, signal });
  }
}
