/** Result of `session kick`. */
import type { LoginInfo } from '../access/login.ts';

/** The logins that were ended. */
export interface KickResult {
  readonly ended: readonly LoginInfo[];
}
