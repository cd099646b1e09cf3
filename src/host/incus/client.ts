/** Runs Incus's own client. */
import type { z } from 'zod';
import { check, misfitText } from '../../domain/check.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { Command, Output, Runner } from '../runner.ts';
import { whenFree } from './busy.ts';

/** Time limits in milliseconds, by kind of work. */
export interface IncusLimits {
  readonly readMs: number;
  readonly changeMs: number;
  /** Work that copies or unpacks data: create, publish, launch of a base image. */
  readonly copyMs: number;
}

export const defaultIncusLimits: IncusLimits = { readMs: 20_000, changeMs: 60_000, copyMs: 900_000 };

/** Matches stderr of the client when it cannot reach its server or is not trusted by it (incus 6.0, observed). */
const unreachable =
  /daemon doesn't appear to be started|cannot connect|connection refused|no such file or directory.*unix\.socket|unix\.socket.*(no such file|permission denied|connect)|server doesn't trust|Failed to connect/i;

export class IncusClient {
  readonly #runner: Runner;
  readonly #limits: IncusLimits;

  constructor(runner: Runner, limits: IncusLimits) {
    this.#runner = runner;
    this.#limits = limits;
  }

  /** Runs the client. Rejects with `incus-unavailable` if its server does not answer, or with the runner's failures. */
  async run(args: readonly string[], options: Omit<Command, 'program' | 'args'>): Promise<Output> {
    try {
      return await this.#runner.run({ program: 'incus', args, ...options });
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

  /** Runs a change of an existing instance, after one that Incus runs already. */
  async change(name: string, args: readonly string[], options: Pick<Command, 'timeoutMs'>): Promise<void> {
    await whenFree(name, () => this.run(args, options));
  }

  /** Reads a document of the REST API. Rejects with `unexpected-output` if it is not what `schema` describes. */
  async query<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal, maxOutputBytes?: number): Promise<T> {
    const { stdout } = await this.run(['query', path], {
      timeoutMs: this.#limits.readMs,
      signal,
      ...(maxOutputBytes === undefined ? {} : { maxOutputBytes }),
    });
    let document: unknown;
    try {
      // The client prints nothing for an empty object (incus 6.0, seen for /1.0/operations). A failed query exits
      // non-zero.
      document = JSON.parse(stdout.trim() === '' ? '{}' : stdout);
    } catch (error) {
      throw new Failure('unexpected-output', { what: `"incus query ${path}"`, why: 'its output is not JSON' }, error);
    }
    const checked = check(schema, document);
    if (checked.misfit === undefined) return checked.value;
    throw new Failure('unexpected-output', {
      what: `"incus query ${path}"`,
      why: `its output has an unexpected format: ${misfitText(checked.misfit, 'the document')}`,
      next: 'check the version of Incus on this host, see "doctor"',
    });
  }
}
