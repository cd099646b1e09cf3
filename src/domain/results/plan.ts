/** A plan: what a call would change, and what would undo it. The call itself was not made. */

/** A host program that the call would run. */
export interface PlannedProgram {
  readonly kind: 'program';
  /** The program and its arguments, one element each. */
  readonly argv: readonly string[];
  /** The length of what the program would read from standard input; 0 for nothing. */
  readonly stdinBytes: number;
  /** What it would read, or null: contents of files are left out, because private keys are among them. */
  readonly stdin: string | null;
}

/** A file of the host that the call would write or remove itself. Its content is left out. */
export interface PlannedFile {
  readonly kind: 'write' | 'remove';
  readonly path: string;
  /** The length of the new content; null for a file that is removed. */
  readonly bytes: number | null;
}

/** What the call would do itself with a backup, without a program: it passes the bytes on. */
export interface PlannedTransfer {
  /** `store` and `delete` change a place of backups; `import` has Incus make an instance. */
  readonly kind: 'store' | 'delete' | 'import';
  /** What would be stored or deleted, or the name of the new instance. */
  readonly what: string;
  /** The place of backups, or the backup that the instance is made of. */
  readonly where: string;
}

export type PlannedCommand = PlannedProgram | PlannedFile | PlannedTransfer;

/** What belongs together: a step as the journal would record it, or commands between two steps. */
export interface PlannedStep {
  /** What the call would show while it runs. */
  readonly title: string;
  /** The journal's name for the step; null for commands that belong to no step. */
  readonly step: string | null;
  readonly commands: readonly PlannedCommand[];
  /** What would undo the step, if the call failed after it. Null: it cannot be undone, or nothing says how. */
  readonly undo: readonly PlannedCommand[] | null;
}

export interface Plan {
  readonly verb: string;
  readonly target: string | null;
  readonly steps: readonly PlannedStep[];
  /** Files of the server itself that would be written anew or removed. Their content is left out. */
  readonly files: readonly string[];
  /** What else would happen, as sentences. */
  readonly notes: readonly string[];
}
