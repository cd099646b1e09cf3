/** An append-only log of the commands that the simulated host ran, one JSON object per line, without standard input. */
import { appendFileSync } from 'node:fs';
import { safeJson } from '../../domain/text.ts';
import type { FaultSubject } from './faults.ts';

export interface LoggedCommand extends FaultSubject {
  /** Number of the command, counted from 1 since the simulated host was opened. */
  readonly n: number;
}

export class CommandLog {
  readonly #path: string | undefined;
  #count = 0;

  /** Writes nothing if `path` is undefined. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** Appends a line. Called before the command runs, so that the log also has commands that never return. */
  add({ program, args, changes }: FaultSubject): void {
    this.#count += 1;
    if (this.#path === undefined) return;
    const line: LoggedCommand = { n: this.#count, program, args, changes };
    appendFileSync(this.#path, `${safeJson(line)}\n`, { mode: 0o600 });
  }
}
