/** Results of the verbs about bans. */
import type { BanInfo } from '../access/ban.ts';

export interface BanChange {
  readonly network: string;
  /** Everything in force after the change. */
  readonly bans: readonly BanInfo[];
}
