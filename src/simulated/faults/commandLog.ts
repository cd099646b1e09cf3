/**
 * An append-only list of the commands that the simulated host was given, one JSON object per line. Standard input is
 * never in it.
 */
import { appendFileSync } from 'node:fs';
import { safeJson } from '../../domain/text.ts';
import type { FaultSubject } from './faults.ts';

export interface LoggedCommand extends FaultSubject {
  /** Counted from 1 since the simulated host was opened. */
  readonly n: number;
}

export class CommandLog {
  readonly #path: string | undefined;
  #count = 0;

  /** Without a path nothing is written. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** Writes one line before the command runs: a command that never answers is in the log too. */
  add({ program, args, changes }: FaultSubject): void {
    this.#count += 1;
    if (this.#path === undefined) return;
    const line: LoggedCommand = { n: this.#count, program, args, changes };
    appendFileSync(this.#path, `${safeJson(line)}\n`, { mode: 0o600 });
  }
}
