/** Results of `shell` and `logs`. */

export interface ShellEnd {
  readonly user: string;
  readonly container: string;
  readonly exitStatus: number;
}

export interface ConsoleLog {
  readonly user: string;
  /** Empty if the log was streamed. */
  readonly text: string;
}
