/**
 * Breaks the changing commands of a verb on a real Incus, one after the other. After each fault, even after a restart
 * of core, the host is either fully changed or as before.
 */
import { expect } from 'vitest';
import type { Finished } from '../support/server.ts';
import { modes, type FaultyPrograms, type Mode } from './faultyPrograms.ts';
import type { JumpHost } from './jumpHost.ts';

export interface FaultyVerb {
  readonly words: readonly string[];
  readonly stdin?: string | undefined;
  /** Restores the state from before the verb. */
  readonly reset: () => Promise<void>;
  /** Checks that the verb has taken effect. */
  readonly changed: () => Promise<void>;
  /** The faults of one command, counted from 1. Default: all. Only the last command of a verb hangs in any case. */
  readonly modesOf?: (at: number) => readonly Mode[];
}

const withoutHang = modes.filter((mode) => mode !== 'hang');

/** Two faults for each command: for verbs that take seconds. */
export function twoModes(at: number): readonly Mode[] {
  return at % 2 === 1 ? ['fail-after', 'kill-before'] : ['fail-before', 'kill-after'];
}

/** One fault for each command, each kind in turn: for verbs that copy a container. */
export function oneMode(at: number): readonly Mode[] {
  return withoutHang.slice((at - 1) % withoutHang.length).slice(0, 1);
}

export class FaultCases {
  readonly #host: JumpHost;
  readonly #faulty: FaultyPrograms;
  readonly #state: () => Promise<unknown>;
  count = 0;

  /** @param state returns what a verb may change, without what differs each time */
  constructor(host: JumpHost, faulty: FaultyPrograms, state: () => Promise<unknown>) {
    this.#host = host;
    this.#faulty = faulty;
    this.#state = state;
  }

  manage(words: readonly string[], stdin?: string): Promise<Finished> {
    return this.#host.server.ssh(words, stdin === undefined ? {} : { stdin });
  }

  /** Runs a verb that must succeed. */
  async must(words: readonly string[], stdin?: string): Promise<void> {
    const { code, stderr } = await this.manage(words, stdin);
    expect(code, `${words.join(' ')}: ${stderr}`).toBe(0);
  }

  /** Counts the changing commands of a verb, then breaks each of them. */
  async everyFault({ words, stdin, reset, changed, modesOf = () => withoutHang }: FaultyVerb): Promise<void> {
    await this.#faulty.arm(this.#host.server.pid, 0, 'fail-before');
    await this.must(words, stdin);
    const { count } = await this.#faulty.disarm();
    expect(count).toBeGreaterThan(0);
    await changed();
    await reset();
    const start = await this.#comparable();
    for (let at = 1; at <= count; at++) {
      // A hang takes its whole time limit, so only the last command of each verb hangs; test/faults covers the rest.
      for (const mode of at === count ? [...modesOf(at), 'hang' as const] : modesOf(at)) {
        const inject = async (act: () => Promise<Finished>): Promise<Finished> => {
          await this.#faulty.arm(this.#host.server.pid, at, mode);
          const answer = await act();
          expect((await this.#faulty.disarm()).met, `${words.join(' ')}: command ${at} ${mode}`).toBe(true);
          return answer;
        };
        if (await this.#isAsBefore(`command ${at} ${mode}`, { words, stdin }, inject, mode.startsWith('kill')))
          expect(await this.#comparable()).toEqual(start);
        else {
          await changed();
          await reset();
        }
      }
    }
  }

  /**
   * Runs a verb with a fault of another kind, such as a cut stream, of which it must not take effect.
   *
   * @param inject runs the verb with the fault
   * @param isKilled whether the fault ends core
   */
  async fault(
    what: string,
    words: readonly string[],
    inject: (act: () => Promise<Finished>) => Promise<Finished>,
    isKilled = false,
  ): Promise<void> {
    expect(await this.#isAsBefore(what, { words }, inject, isKilled), `${words.join(' ')}: ${what}`).toBe(true);
  }

  async #isAsBefore(
    what: string,
    { words, stdin }: Pick<FaultyVerb, 'words' | 'stdin'>,
    inject: (act: () => Promise<Finished>) => Promise<Finished>,
    isKilled: boolean,
  ): Promise<boolean> {
    const before = await this.#comparable();
    const answer = await inject(() => this.manage(words, stdin));
    if (isKilled) await this.#host.server.restart();
    const where = `${words.join(' ')}: ${what} → ${answer.code} ${answer.stderr}`;
    this.count++;

    const after = await this.#comparable();
    const reconciled = await this.manage(['reconcile', '--json']);
    expect(JSON.parse(reconciled.stdout), where).toMatchObject({ ok: true, result: { differences: [] } });
    expect((await this.manage(['audit', 'verify'])).code, where).toBe(0);
    const isAsBefore = JSON.stringify(after) === JSON.stringify(before);
    // A change despite a reported failure is correct only if the reply was lost.
    if (!isKilled && answer.code !== 0) expect(after, where).toEqual(before);
    if (!isKilled && answer.code === 0) expect(after, where).not.toEqual(before);
    return isAsBefore;
  }

  /** Returns the state without times and addresses, so that a key added twice compares equal. */
  async #comparable(): Promise<unknown> {
    return JSON.parse(
      JSON.stringify(await this.#state())
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
        .replaceAll(/10\.\d+\.\d+\.\d+:22/g, 'ADDRESS'),
    );
  }
}
