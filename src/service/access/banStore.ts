/**
 * Bans by admins and penalties by the front, in a small state file, so that both survive a restart. The front rejects
 * connections by its own copy, which comes from here.
 */
import type { Low } from 'lowdb';
import PQueue from 'p-queue';
import * as z from 'zod';
import {
  currentBan,
  penaltyReasonNames,
  penaltyReasons,
  type Ban,
  type BanInfo,
  type Penalty,
} from '../../domain/access/ban.ts';
import { Failure } from '../../domain/failure.ts';
import { contains, isSource, parseNetwork, type Network } from '../../domain/values/network.ts';
import type { BanChange } from '../../domain/results/bans.ts';
import { openState } from '../../journal/jsonState.ts';

const schema = z.object({
  bans: z.array(
    z.object({
      network: z.string(),
      reason: z.string().nullable(),
      by: z.string(),
      at: z.string(),
      until: z.string().nullable(),
    }),
  ),
  penalties: z.array(
    z.object({
      network: z.string(),
      why: z.enum(penaltyReasonNames),
      times: z.number(),
      at: z.string(),
      until: z.string(),
    }),
  ),
});
type State = z.infer<typeof schema>;

/** Maximum number of bans. */
const maxBans = 1000;
/** Maximum number of penalties kept here. The oldest are dropped first; the front keeps them as long as it lives. */
const maxPenalties = 10_000;
/**
 * Maximum delay before penalties are written, in milliseconds. Many may come in a second, so one write takes them all.
 */
const writeAfterMs = 1000;
export interface BanListener {
  /** Called with all bans after every change. */
  bans(bans: readonly Ban[]): void;
  /** Called when a penalty is lifted. */
  lifted(source: string): void;
}

export interface BansOptions {
  readonly now: () => Date;
  /** Maximum duration of a penalty, in milliseconds. A penalty is remembered for the same time after its end. */
  readonly maxPenaltyMs: number;
  /** Called when writing the penalties fails; memory still has them. */
  readonly onTrouble: (failure: Failure) => void;
}

interface NewBan {
  readonly forMs: number | undefined;
  readonly reason: string | undefined;
  readonly by: string;
}

export class BanStore {
  readonly #db: Low<State>;
  readonly #options: BansOptions;
  readonly #listeners = new Set<BanListener>();
  readonly #penalties: Map<string, Penalty>;
  /** Writes run one at a time: one that fails restores the bans from before it, and must lose no other. */
  readonly #changes = new PQueue({ concurrency: 1 });
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(db: Low<State>, options: BansOptions) {
    this.#db = db;
    this.#options = options;
    this.#penalties = new Map(db.data.penalties.map((penalty) => [penalty.network, penalty]));
  }

  /** Opens the state file. Rejects with `settings` for an unreadable file, so that no ban is lost by accident. */
  static async open(path: string, options: BansOptions): Promise<BanStore> {
    return new BanStore(await openState<State>(path, schema, { bans: [], penalties: [] }), options);
  }

  /** Tells `listener` about every change. Returns a function that ends that. */
  follow(listener: BanListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The bans in force. */
  get bans(): readonly Ban[] {
    const nowMs = this.#nowMs;
    this.#db.data.bans = this.#db.data.bans.map((ban) => currentBan(ban, nowMs));
    return this.#db.data.bans.filter(({ until }) => until === null || Date.parse(until) > nowMs);
  }

  /** The penalties in force, and the recent ones that make the next penalty of their source longer. */
  get penalties(): readonly Penalty[] {
    const nowMs = this.#nowMs;
    const forgottenMs = nowMs - this.#options.maxPenaltyMs;
    for (const [network, penalty] of this.#penalties) this.#penalties.set(network, currentBan(penalty, nowMs));
    return [...this.#penalties.values()].filter(({ until }) => Date.parse(until) > forgottenMs);
  }

  /** Returns what a front needs at its start. Times are milliseconds since 1970. */
  forFront(): { bans: Ban[]; penalties: { source: string; why: Penalty['why']; times: number; untilMs: number }[] } {
    const penalties = this.penalties.map(({ network, why, times, until }) => ({
      source: network,
      why,
      times,
      untilMs: Date.parse(until),
    }));
    return { bans: [...this.bans], penalties };
  }

  list(): BanInfo[] {
    const nowMs = this.#nowMs;
    const penalties = this.penalties.filter(({ until }) => Date.parse(until) > nowMs);
    return [
      ...this.bans.map((ban): BanInfo => ({ kind: 'ban', ...ban })),
      ...penalties.map(({ network, why, at, until }): BanInfo => ({
        kind: 'penalty',
        network,
        reason: penaltyReasons[why],
        by: null,
        at,
        until,
      })),
    ];
  }

  /** Bans a network or replaces its ban. Without `forMs` the ban lasts until it is lifted. */
  add(network: Network, ban: NewBan): Promise<BanChange> {
    return this.#changes.add(() => this.#add(network, ban));
  }

  async #add(network: Network, { forMs, reason, by }: NewBan): Promise<BanChange> {
    const now = this.#options.now();
    const others = this.bans.filter((ban) => ban.network !== network.text);
    if (others.length >= maxBans) {
      throw new Failure('busy', {
        what: `ban of ${network.text}`,
        why: `there are already ${maxBans} bans`,
        next: 'ban a wider network, or lift some: see "ban list"',
      });
    }
    const ban: Ban = {
      network: network.text,
      reason: reason ?? null,
      by,
      at: now.toISOString(),
      until: forMs === undefined ? null : new Date(now.getTime() + forMs).toISOString(),
    };
    await this.#setBans([...others, ban]);
    return { network: network.text, bans: this.list() };
  }

  /**
   * Lifts the ban on exactly this network and the penalties of sources in it. Rejects with `not-found` if there is
   * neither.
   */
  lift(network: Network): Promise<BanChange> {
    return this.#changes.add(() => this.#lift(network));
  }

  async #lift(network: Network): Promise<BanChange> {
    const others = this.bans.filter((ban) => ban.network !== network.text);
    const lifted = this.penalties.filter((penalty) => {
      const source = parseNetwork(penalty.network);
      // An address within an IPv6 source stands for the source.
      return contains(network, source) || contains(source, network);
    });
    if (others.length === this.bans.length && lifted.length === 0) {
      throw new Failure('not-found', {
        what: `ban of ${network.text}`,
        why: 'no such ban or penalty',
        next: 'see "ban list"',
      });
    }
    if (others.length !== this.bans.length) await this.#setBans(others);
    for (const { network: source } of lifted) {
      this.#penalties.delete(source);
      for (const listener of this.#listeners) listener.lifted(source);
    }
    this.#writeSoon();
    return { network: network.text, bans: this.list() };
  }

  /**
   * Stores a penalty that the front imposed. Returns undefined if it is not valid: its source must have the size of a
   * source, and its duration must be within the limit.
   */
  penalised({
    source,
    why,
    times,
    untilMs,
  }: {
    source: string;
    why: Penalty['why'];
    times: number;
    untilMs: number;
  }): Penalty | undefined {
    const nowMs = this.#nowMs;
    let network: Network;
    try {
      network = parseNetwork(source);
    } catch {
      return undefined;
    }
    // Allow a second for the message from the front.
    if (!isSource(network) || untilMs > nowMs + this.#options.maxPenaltyMs + 1000) return undefined;
    const penalty: Penalty = {
      network: network.text,
      why,
      times,
      at: new Date(nowMs).toISOString(),
      until: new Date(untilMs).toISOString(),
    };
    this.#penalties.delete(network.text);
    this.#penalties.set(network.text, penalty);
    const [oldest] = this.#penalties.keys();
    if (this.#penalties.size > maxPenalties && oldest !== undefined) this.#penalties.delete(oldest);
    this.#writeSoon();
    return penalty;
  }

  /** Resolves when all pending writes have succeeded or failed. */
  async settled(): Promise<void> {
    if (this.#timer !== undefined) this.#writePenalties();
    await this.#writing;
  }

  get #nowMs(): number {
    return this.#options.now().getTime();
  }

  /** Replaces the bans, and restores the old ones if the write fails: memory always matches the disk. */
  async #setBans(bans: readonly Ban[]): Promise<void> {
    const before = this.#db.data;
    this.#db.data = { bans: [...bans], penalties: [...this.penalties] };
    try {
      await this.#db.write();
    } catch (error) {
      this.#db.data = before;
      throw error;
    }
    for (const listener of this.#listeners) listener.bans(this.bans);
  }

  #writeSoon(): void {
    this.#timer ??= setTimeout(() => this.#writePenalties(), writeAfterMs).unref();
  }

  #writePenalties(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#changes.add(async () => {
      const penalties = this.penalties;
      const kept = new Set(penalties.map(({ network }) => network));
      for (const network of [...this.#penalties.keys()]) if (!kept.has(network)) this.#penalties.delete(network);
      this.#db.data = { bans: [...this.bans], penalties: [...penalties] };
      await this.#db.write().catch((error: unknown) => this.#options.onTrouble(Failure.from(error)));
    });
  }
}
