/** Loads the firewall's tables and compares them with what was loaded, through nft(8). */
import { Failure } from '../../domain/failure.ts';
import { failedWith, type Runner } from '../runner.ts';
import { renderRemoval, renderRuleset, rulesetId, tableName, type FirewallPlan } from './ruleset.ts';

/**
 * Whether the tables of a plan are in force. They are `outdated` if they are as they were loaded, for another plan, and
 * `changed` if another program has changed them since.
 */
export type TablesState = 'in force' | 'outdated' | 'changed' | 'missing';

/**
 * Time limit of a program, in milliseconds. To load a network of 4,093 addresses takes 0.2 s; a host that is so busy
 * that it takes a minute needs its firewall all the same.
 */
const limitMs = 60_000;
const families = ['bridge', 'inet'] as const;

/** Matches nft's message for a table that does not exist (ENOENT). */
const noSuchTable = /No such file or directory/;

export class Nftables {
  readonly #runner: Runner;
  /** The tables as nft listed them after the last load, by bridge. */
  readonly #loaded = new Map<string, string>();

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  /** Replaces the tables by those of the plan, in one transaction. */
  async load(plan: FirewallPlan): Promise<void> {
    await this.#apply(renderRuleset(plan));
    const listing = await this.#listing(plan.bridge);
    if (listing === undefined)
      throw new Failure('unexpected-output', {
        what: `the firewall of ${plan.bridge}`,
        why: 'nft loaded it, but does not list it',
        next: `nft list table inet ${tableName(plan.bridge)}`,
      });
    this.#loaded.set(plan.bridge, listing);
  }

  /** Removes the tables of a bridge, if they exist. */
  async remove(bridge: string): Promise<void> {
    await this.#apply(renderRemoval(bridge));
    this.#loaded.delete(bridge);
  }

  /** Compares the tables in the kernel with those that were loaded for this plan. */
  async state(plan: FirewallPlan, signal?: AbortSignal): Promise<TablesState> {
    const listing = await this.#listing(plan.bridge, signal);
    if (listing === undefined) return 'missing';
    const loaded = this.#loaded.get(plan.bridge);
    if (loaded !== undefined && loaded !== listing) return 'changed';
    const isSamePlan = listing.split(`comment "${rulesetId(plan)}"`).length === families.length + 1;
    return isSamePlan ? 'in force' : loaded === undefined ? 'changed' : 'outdated';
  }

  async #apply(ruleset: string): Promise<void> {
    await this.#runner.run({ program: 'nft', args: ['-f', '-'], input: ruleset, timeoutMs: limitMs });
  }

  /** Returns both tables without the elements of their sets, or undefined if one does not exist. */
  async #listing(bridge: string, signal?: AbortSignal): Promise<string | undefined> {
    const listings: string[] = [];
    for (const family of families) {
      const args = ['--terse', 'list', 'table', family, tableName(bridge)];
      try {
        listings.push((await this.#runner.run({ program: 'nft', args, timeoutMs: limitMs, signal })).stdout);
      } catch (error) {
        if (failedWith(error, noSuchTable)) return undefined;
        throw error;
      }
    }
    return listings.join('\n');
  }
}
