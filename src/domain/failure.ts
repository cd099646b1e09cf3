/**
 * Failures: the only form in which this system reports that something did not work.
 *
 * A failure has a stable code, what failed, why, and what to do next. Renderers decide how it looks. The exit code
 * follows from the failure code alone (`docs/exit-codes.md`, generated from this table).
 */
import { fileTrouble } from './fileTrouble.ts';
import { quoted } from './text.ts';

/** Longest quoted path, in characters. */
const maxPathLength = 300;

/**
 * Process exit codes. They are stable, below 126 (POSIX shells use 126 and above), and never 255, which ssh(1) reserves
 * for its own errors.
 */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  conflict: 5,
  partial: 6,
  timeout: 7,
  unavailable: 8,
  cancelled: 9,
} as const;

export type ExitName = keyof typeof exitCodes;

/** The meaning of each exit code, for the docs. */
export const exitMeanings: Record<ExitName, string> = {
  ok: 'The command succeeded.',
  failed: 'The command failed and changed nothing, or a check found a problem.',
  usage: 'The command line or its input is invalid; nothing was attempted.',
  notFound: 'The named object does not exist, or you may not see it.',
  denied: 'Permission denied.',
  conflict:
    'The request conflicts with the current state: the object already exists, is busy or in use, or was not created by containarium.',
  partial: 'Work remains: differences were found, or an operation could be neither completed nor undone.',
  timeout: 'A step timed out; its changes were undone.',
  unavailable: 'The server, Incus, the journal or another server that is needed is unavailable.',
  cancelled: 'The command was cancelled before it changed anything, or its changes were undone.',
};

/** Every failure code with its exit code. */
export const failureCodes = {
  usage: 'usage',
  'unknown-command': 'usage',
  'unknown-option': 'usage',
  'shell-syntax': 'usage',
  'invalid-user': 'usage',
  'invalid-size': 'usage',
  'invalid-count': 'usage',
  'invalid-key': 'usage',
  'private-key': 'usage',
  'invalid-label': 'usage',
  'invalid-image': 'usage',
  'invalid-time': 'usage',
  'missing-key': 'usage',
  'input-too-large': 'usage',
  'confirmation-required': 'usage',
  'confirmation-mismatch': 'usage',
  settings: 'usage',
  'not-found': 'notFound',
  denied: 'denied',
  exists: 'conflict',
  busy: 'conflict',
  'not-ours': 'conflict',
  'last-key': 'conflict',
  'last-admin': 'conflict',
  'below-use': 'conflict',
  'wrong-state': 'conflict',
  'no-space': 'conflict',
  'already-running': 'conflict',
  partial: 'partial',
  differences: 'partial',
  timeout: 'timeout',
  'incus-unavailable': 'unavailable',
  'core-unavailable': 'unavailable',
  'journal-unwritable': 'unavailable',
  'store-unavailable': 'unavailable',
  undeliverable: 'unavailable',
  'shutting-down': 'unavailable',
  cancelled: 'cancelled',
  'program-failed': 'failed',
  'program-missing': 'failed',
  'unexpected-output': 'failed',
  'journal-damaged': 'failed',
  'backup-damaged': 'failed',
  'release-damaged': 'failed',
  unhealthy: 'failed',
  internal: 'failed',
} as const satisfies Record<string, ExitName>;

export type FailureCode = keyof typeof failureCodes;

export interface FailureText {
  /** What failed, with names quoted: `container "alice"`. */
  readonly what: string;
  /** The reason, as a clause without a full stop. */
  readonly why: string;
  /** The next step: an instruction or a command. */
  readonly next?: string;
  /** Facts for `--json` and the journal. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A failure as plain data, for other processes and for `--json`. */
export interface FailureData extends FailureText {
  readonly code: FailureCode;
}

export class Failure extends Error {
  readonly code: FailureCode;
  readonly what: string;
  readonly why: string;
  readonly next: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: FailureCode, text: FailureText, cause?: unknown) {
    super(`${text.what}: ${text.why}`, cause === undefined ? undefined : { cause });
    this.name = 'Failure';
    this.code = code;
    this.what = text.what;
    this.why = text.why;
    this.next = text.next;
    this.details = text.details;
  }

  get exitCode(): number {
    return exitCodes[failureCodes[this.code]];
  }

  toData(): FailureData {
    return {
      code: this.code,
      what: this.what,
      why: this.why,
      ...(this.next === undefined ? {} : { next: this.next }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  static fromData(data: FailureData): Failure {
    return new Failure(data.code, data);
  }

  /**
   * Returns a thrown value as a failure. What a file system refused is told as such. Anything else but a Failure
   * becomes `internal`, with the value as its cause.
   */
  static from(error: unknown): Failure {
    if (error instanceof Failure) return error;
    const trouble = fileTrouble(error);
    if (trouble !== undefined) {
      const { code, path, why: reason, next } = trouble;
      const what = path === undefined ? 'a file of the server' : `file ${quoted(path, maxPathLength)}`;
      return new Failure(code, { what, why: reason, next }, error);
    }
    const why = error instanceof Error ? error.message : String(error);
    return new Failure('internal', { what: 'internal error', why, next: 'check the server log and report it' }, error);
  }
}

/** Reports whether `error` is a failure with one of `codes`, or any failure if there are none. */
export function isFailure(error: unknown, ...codes: FailureCode[]): error is Failure {
  return error instanceof Failure && (codes.length === 0 || codes.includes(error.code));
}
