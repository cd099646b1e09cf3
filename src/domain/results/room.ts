/** Results of `who` and `say`. */

/** One open shell. */
export interface Presence {
  readonly shell: string;
  readonly name: string;
  readonly entryPoint: 'manage' | 'self' | 'local' | 'remote';
  readonly since: string;
  readonly address: string | null;
}

/** A change that runs, whether or not its caller still waits for it. */
export interface RunningChange {
  readonly name: string;
  readonly verb: string;
  readonly target: string | null;
  readonly since: string;
}

export interface WhoIsHere {
  readonly present: readonly Presence[];
  readonly running: readonly RunningChange[];
}

export interface Said {
  /** Number of other shells that received the message. */
  readonly heardBy: number;
}
