/** Reads with `incus query`, for an Incus that has no socket: the simulated one. */
import { Failure } from '../../domain/failure.ts';
import type { Runner } from '../runner.ts';
import { runIncus } from './client.ts';
import type { IncusReads, ReadOptions } from './reads.ts';

/** Returns what Incus answers where its client prints nothing. */
function emptyAt(path: string): string {
  return path.startsWith('/1.0/operations') ? '{}' : 'null';
}

export class ClientReads implements IncusReads {
  readonly #runner: Runner;

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  async document(path: string, options: ReadOptions): Promise<unknown> {
    const text = await this.text(path, options);
    try {
      // The client prints nothing for an empty object or null (incus 6.0, seen for operations and pools). A failed one
      // exits non-zero.
      return JSON.parse(text.trim() === '' ? emptyAt(path) : text);
    } catch (error) {
      throw new Failure('unexpected-output', { what: `"incus query ${path}"`, why: 'its output is not JSON' }, error);
    }
  }

  async text(path: string, { timeoutMs, signal, maxBytes }: ReadOptions): Promise<string> {
    const limit = maxBytes === undefined ? {} : { maxOutputBytes: maxBytes };
    // Without `--raw`, with which the client prints an error as if it were the result, and exits 0.
    const { stdout } = await runIncus(this.#runner, ['query', path], { timeoutMs, signal, ...limit });
    return stdout;
  }
}
