/**
 * The one way this system says that something did not work.
 *
 * A failure is a stable code, what failed (quoted), why, and what to do next. It knows nothing of terminals: renderers
 * decide how it looks, and the exit code follows from the code alone (see `docs/exit-codes.md`, generated from this
 * table).
 */

/**
 * Process exit codes. Stable, below 126 (above that POSIX shells use them), and never 255, which the ssh client keeps
 * for itself.
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

/** What each exit code means, for the docs. */
export const exitMeanings: Record<ExitName, string> = {
  ok: 'The command did what it says.',
  failed: 'It failed, and nothing was changed; or a check found a fault.',
  usage: 'The command line or its input cannot be understood or is not allowed; nothing was tried.',
  notFound: 'What was named does not exist, or is not yours to see.',
  denied: 'You may not do this.',
  conflict: 'It contradicts what is there: already exists, busy, in use, or not made by this system.',
  partial: 'Something is left to do: differences were found, or an operation could neither be finished nor undone.',
  timeout: 'A step ran out of time; what it had changed was undone.',
  unavailable: 'The server, Incus or the journal cannot be reached or used right now.',
  cancelled: 'It was cancelled before it changed anything, or what it had changed was undone.',
};

/** Every failure code, with the exit code it leads to. */
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
  'shutting-down': 'unavailable',
  cancelled: 'cancelled',
  'program-failed': 'failed',
  'program-missing': 'failed',
  'unexpected-output': 'failed',
  'journal-damaged': 'failed',
  unhealthy: 'failed',
  internal: 'failed',
} as const satisfies Record<string, ExitName>;

export type FailureCode = keyof typeof failureCodes;

export interface FailureText {
  /** What failed, with names quoted: `container "alice"`. */
  readonly what: string;
  /** Why, in one sentence without a full stop. */
  readonly why: string;
  /** What to do next: a sentence or a command. */
  readonly next?: string;
  /** Facts for `--json` and the journal. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The plain-data form of a failure: what crosses the process boundary and what `--json` shows. */
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

  /** Any thrown value as a failure; what is not one already becomes `internal` and keeps its cause. */
  static from(error: unknown): Failure {
    if (error instanceof Failure) return error;
    const why = error instanceof Error ? error.message : String(error);
    return new Failure('internal', { what: 'the server', why, next: 'look at the server log, and report this' }, error);
  }
}

/** Whether `error` is a failure with one of these codes. */
export function isFailure(error: unknown, ...codes: FailureCode[]): error is Failure {
  return error instanceof Failure && (codes.length === 0 || codes.includes(error.code));
}
