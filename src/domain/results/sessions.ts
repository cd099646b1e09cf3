/** Results of the verbs about logins. */
import type { LoginInfo } from '../access/login.ts';

/** Sessions that were sent away. */
export interface KickResult {
  readonly ended: readonly LoginInfo[];
}
