/**
 * The firewall around the containers: what it lets through follows from the settings, the bridge, and the networks of
 * this host. It is loaded when core starts, and again when something else removed it (`nft flush ruleset`). Its file is
 * what systemd loads before Incus at the next boot (systemd/containarium-firewall.service).
 */
import { rm } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import type { BridgeLink } from '../../host/firewall/bridgeLink.ts';
import type { Nftables, TablesState } from '../../host/firewall/nftables.ts';
import { renderRuleset } from '../../host/firewall/ruleset.ts';
import type { HostContext } from '../instances/context.ts';
import { planFirewall } from './plan.ts';

type Context = Pick<HostContext, 'host' | 'incus' | 'settings' | 'log'>;

/** The state of the tables, or `learning`: the bridge still learns from frames that no table sees. */
export type FirewallState = TablesState | 'learning';

export class Firewall {
  readonly #context: Context;
  readonly #nftables: Nftables;
  readonly #bridgeLink: BridgeLink;
  readonly #file: string;

  /** @param file where the rules are kept for the next boot */
  constructor(
    context: Context,
    { nftables, bridgeLink }: { readonly nftables: Nftables; readonly bridgeLink: BridgeLink },
    file: string,
  ) {
    this.#context = context;
    this.#nftables = nftables;
    this.#bridgeLink = bridgeLink;
    this.#file = file;
  }

  /** Brings the rules in force to what the settings say, and keeps them for the next boot. */
  async apply(): Promise<void> {
    const plan = await planFirewall(this.#context);
    if (!this.#context.settings.firewall.enabled) {
      await this.#nftables.remove(plan.bridge);
      await rm(this.#file, { force: true });
      return;
    }
    // The file first: what is in force now is in force after the next boot too.
    await writeFileAtomic(this.#file, renderRuleset(plan), { mode: 0o644 });
    await this.#nftables.load(plan);
    await this.#bridgeLink.stopLearningFromReserved(plan.bridge);
  }

  /** Compares the rules in force with those of the settings. */
  async state(signal?: AbortSignal): Promise<FirewallState> {
    const plan = await planFirewall(this.#context, signal);
    const tables = await this.#nftables.state(plan, signal);
    if (tables !== 'in force' && tables !== 'outdated') return tables;
    return (await this.#bridgeLink.learnsFromReserved(plan.bridge, signal)) ? 'learning' : tables;
  }

  /** Loads the rules again if another program removed or changed them, or if the networks of this host are others. */
  async keep(): Promise<void> {
    if (!this.#context.settings.firewall.enabled) return;
    const state = await this.state();
    if (state === 'in force') return;
    // Interfaces of this host come and go, and with them its private networks.
    if (state !== 'outdated')
      this.#context.log.warn({ state }, 'the firewall around the containers was not in force and is loaded again');
    await this.apply();
  }
}
