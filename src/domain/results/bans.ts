/** Results of the verbs about bans. */
import type { BanInfo } from '../access/ban.ts';

export interface BanChange {
  readonly network: string;
  /** All that are in force now. */
  readonly bans: readonly BanInfo[];
}
