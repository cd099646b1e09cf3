/** The host's own sshd, asked what it would do for an account (`sshd -T`, sshd(8)). */
import type { Runner } from './runner.ts';

export class Sshd {
  readonly #runner: Runner;

  readonly #configuration: string;

  constructor(runner: Runner, configuration = '/etc/ssh/sshd_config') {
    this.#runner = runner;
    this.#configuration = configuration;
  }

  /** The settings that apply when `user` logs in: lower-case keywords with their values. */
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
