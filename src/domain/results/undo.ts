/** Result of `undo`. Times in RFC 3339 UTC. */
export interface UndoResult {
  /** The change that is taken back. */
  readonly change: { readonly verb: string; readonly target: string; readonly at: string; readonly operation: string };
  /** What takes it back, as a command or a clause. */
  readonly by: string;
  /** False if it was only shown. */
  readonly done: boolean;
}
