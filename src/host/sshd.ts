/** The effective configuration of the host's own sshd (`sshd -T`, sshd(8)). */
import type { Runner } from './runner.ts';

export class Sshd {
  readonly #runner: Runner;

  readonly #configuration: string;

  constructor(runner: Runner, configuration: string) {
    this.#runner = runner;
    this.#configuration = configuration;
  }

  /** Returns the settings that apply to a login of `user`, by lower-case keyword. */
  async settingsFor(user: string, signal?: AbortSignal): Promise<Map<string, string>> {
    const { stdout } = await this.#runner.run({
      program: 'sshd',
      args: ['-T', '-f', this.#configuration, '-C', `user=${user},host=localhost,addr=127.0.0.1`],
      timeoutMs: 10_000,
      signal,
    });
    return new Map(
      stdout
        .split('\n')
        .filter((line) => line.includes(' '))
        .map((line) => [line.slice(0, line.indexOf(' ')).toLowerCase(), line.slice(line.indexOf(' ') + 1)]),
    );
  }
}
