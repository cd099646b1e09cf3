/** Queries the host key of an sshd with OpenSSH's `ssh-keyscan`. */
import { isFailure } from '../domain/failure.ts';
import type { Runner } from './runner.ts';

export class KeyScan {
  readonly #runner: Runner;

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  /**
   * Returns the ed25519 host key served at `address:port`, as `ssh-ed25519 AAAA…`, or `undefined` if no sshd answers
   * within `timeoutSeconds`.
   */
  async hostKey(
    address: string,
    options: { port?: number; timeoutSeconds?: number; signal?: AbortSignal } = {},
  ): Promise<string | undefined> {
    const seconds = options.timeoutSeconds ?? 2;
    try {
      const { stdout } = await this.#runner.run({
        program: 'ssh-keyscan',
        args: ['-t', 'ed25519', '-p', String(options.port ?? 22), '-T', String(seconds), address],
        timeoutMs: seconds * 1000 + 3000,
        allowExit: [0, 1],
        signal: options.signal,
      });
      const line = stdout.split('\n').find((candidate) => candidate !== '' && !candidate.startsWith('#'));
      const [, type, blob] = line?.split(' ') ?? [];
      return type === undefined || blob === undefined ? undefined : `${type} ${blob}`;
    } catch (error) {
      if (isFailure(error, 'timeout')) return undefined;
      throw error;
    }
  }
}
