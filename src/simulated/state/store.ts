/** Stores the simulated host in one JSON file. */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { check, misfitText } from '../../domain/check.ts';
import { Failure } from '../../domain/failure.ts';
import { fileTrouble } from '../../domain/fileTrouble.ts';
import { freshState, hostState } from './state.ts';
import type { HostState } from './state.ts';

export class StateStore {
  readonly #path: string;
  readonly #now: () => number;
  #state: HostState;
  /** JSON of the state as last read or saved. */
  #saved: string;

  /**
   * Reads the file, or starts a fresh host if there is none. The first change writes the file. Throws a `settings`
   * failure for a damaged file, and never replaces it.
   */
  constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
    this.#state = this.#read();
    this.#saved = JSON.stringify(this.#state);
  }

  get state(): HostState {
    return this.#state;
  }

  /** The time, in milliseconds since 1970. Never earlier than the last saved change, even if the clock is set back. */
  get nowMs(): number {
    return Math.max(this.#now(), this.#state.clock);
  }

  /**
   * Writes the whole state and renames the file into place before it returns, so that a killed process leaves the state
   * before or after a change, never a part of it. Does not fsync: a simulation need not survive a crash of the machine.
   */
  save(): void {
    this.#state.clock = this.nowMs;
    const text = JSON.stringify(this.#state);
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      // 0600, because the files of instances include private host keys.
      writeFileAtomic.sync(this.#path, `${text}\n`, { mode: 0o600, fsync: false });
    } catch (error) {
      // A change that was not saved must not be visible in memory.
      this.#state = hostState.parse(JSON.parse(this.#saved));
      throw new Failure(
        'program-failed',
        {
          what: `simulated host "${this.#path}"`,
          why: `cannot be saved: ${fileTrouble(error)?.why ?? String(error)}`,
        },
        error,
      );
    }
    this.#saved = text;
  }

  #read(): HostState {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return freshState(this.#now());
      throw this.#unusable(error instanceof Error ? error.message : String(error), error);
    }
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch (error) {
      throw this.#unusable('not valid JSON', error);
    }
    const checked = check(hostState, document);
    if (checked.misfit === undefined) return checked.value;
    throw this.#unusable(misfitText(checked.misfit, 'its content'));
  }

  #unusable(why: string, cause?: unknown): Failure {
    return new Failure(
      'settings',
      { what: `simulated host "${this.#path}"`, why, next: 'move the file away to start with a fresh simulated host' },
      cause,
    );
  }
}
