/** Results of `who` and `say`. */

/** One open shell. */
export interface Presence {
  readonly shell: string;
  readonly name: string;
  readonly entryPoint: 'manage' | 'self' | 'local' | 'remote';
  readonly since: string;
  readonly address: string | null;
}

export interface WhoIsHere {
  readonly present: readonly Presence[];
}

export interface Said {
  /** Number of other shells that received the message. */
  readonly heardBy: number;
}
