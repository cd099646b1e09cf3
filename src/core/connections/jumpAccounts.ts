/** Which users have a jump account. The answer is kept for a while, because each login asks. */
import { AnswerOrder } from '../../domain/answerOrder.ts';
import type { Accounts } from '../../host/accounts.ts';
import { isOurAccount } from '../../service/instances/jumpAccount.ts';

/** How long an answer is used again, in milliseconds, and for how many users. */
const keptMs = 30_000;
const maxKept = 1000;

export class JumpAccounts {
  readonly #accounts: Pick<Accounts, 'account' | 'groupId'>;
  readonly #group: string;
  readonly #monotonic: () => number;
  readonly #kept = new Map<string, { readonly untilMs: number; readonly has: boolean }>();
  /** Of all users together: an answer that is dropped for want of need is asked again. */
  readonly #order = new AnswerOrder();

  constructor(
    accounts: Pick<Accounts, 'account' | 'groupId'>,
    group: string,
    monotonic: () => number = () => performance.now(),
  ) {
    this.#accounts = accounts;
    this.#group = group;
    this.#monotonic = monotonic;
  }

  /** Rejects if that cannot be found out: an account is never taken for another's because a query failed. */
  async has(user: string): Promise<boolean> {
    const kept = this.#kept.get(user);
    if (kept !== undefined && this.#monotonic() < kept.untilMs) return kept.has;
    const isLatest = this.#order.ask();
    const [account, groupId] = await Promise.all([this.#accounts.account(user), this.#accounts.groupId(this.#group)]);
    const has = account !== undefined && isOurAccount(account, groupId);
    if (!isLatest()) return has;
    if (this.#kept.size >= maxKept) this.#kept.clear();
    this.#kept.set(user, { untilMs: this.#monotonic() + keptMs, has });
    return has;
  }
}
