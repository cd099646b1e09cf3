/**
 * The gate: who may begin to log in. Asked for each connection before a byte of it is read, decided at once from what
 * is in memory: bans, penalties for what came from the same source before, and how many are logging in already. It
 * watches each connection until that has logged in or is gone, and keeps the account of its source.
 *
 * A source is an IPv4 address or an IPv6 /64. Where somebody is logged in from it, no penalty begins or keeps it out: a
 * wrong key in a second window must not lock out who works in the first.
 */
import type { Socket } from 'node:net';
import { penaltyReasons, type Ban, type PenaltyReason } from '../../domain/access/ban.ts';
import { NetworkMap, parseNetwork, sourceOf } from '../../domain/values/network.ts';
import { printable } from '../../domain/text.ts';
import { formatUptime } from '../../domain/values/time.ts';
import { Penalties, type BegunPenalty, type PenaltyLimits } from './penalties.ts';
import { PendingLogins, type PendingLoginLimits } from './pendingLogins.ts';

export interface GateOptions {
  readonly pendingLogins: PendingLoginLimits;
  readonly penalties: PenaltyLimits & { readonly exempt: readonly string[] };
  readonly now?: () => number;
  readonly random?: () => number;
  /** A penalty has begun. */
  readonly onPenalty: (begun: BegunPenalty) => void;
}

/** What is asked of a connection's socket. */
export type GateSocket = Pick<Socket, 'remoteAddress' | 'once' | 'on'>;

/** A connection that was not let in: what kind of limit it was, and what to tell it. */
export interface Refused {
  readonly source: string;
  readonly why: 'banned' | 'connections';
  readonly text: string;
}

/** For so long after a login a source has a place of its own, in milliseconds. */
const knownMs = 60 * 60 * 1000;
const maxKnownSources = 10_000;

export class Gate {
  readonly #options: GateOptions;
  readonly #now: () => number;
  readonly #pendingLogins: PendingLogins;
  readonly #penalties: Penalties;
  readonly #exempt = new NetworkMap<true>();
  #bans = new NetworkMap<Ban>();
  /** Logins that are open, and when the last one ended. */
  readonly #known = new Map<string, { open: number; lastMs: number }>();

  constructor(options: GateOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#pendingLogins = new PendingLogins(options.pendingLogins, options.random);
    this.#penalties = new Penalties(options.penalties);
    for (const text of options.penalties.exempt) this.#exempt.set(parseNetwork(text), true);
  }

  /** Replaces the bans that admins have given. */
  setBans(bans: readonly Ban[]): void {
    this.#bans = new NetworkMap();
    for (const ban of bans) this.#bans.set(parseNetwork(ban.network), ban);
  }

  restore(penalties: readonly BegunPenalty[]): void {
    for (const penalty of penalties) this.#penalties.restore(penalty, this.#now());
  }

  lift(source: string): void {
    this.#penalties.lift(source);
  }

  /** What an address that is banned by an admin is told. */
  ban(address: string): string | undefined {
    for (const { until, reason } of this.#bans.find(address)) {
      const leftMs = until === null ? Infinity : Date.parse(until) - this.#now();
      if (leftMs > 0)
        return `This address is banned${reason === null ? '' : ` (${printable(reason)})`}: ${until === null ? 'an admin of this host can lift that' : `try again in ${inWords(leftMs)}`}.`;
    }
    return undefined;
  }

  /**
   * Whether a connection may go on. From then on its socket is watched: it emits `attempt` for a login that failed,
   * `late`, `violation`, and `authenticated`; one that ends for a reason of this server's emits `forgiven`.
   */
  admit(socket: GateSocket): Refused | undefined {
    const address = socket.remoteAddress ?? '';
    const source = sourceOf(address)?.text;
    // Gone before it was looked at.
    if (source === undefined) return { source: '', why: 'connections', text: 'Try again.' };
    const banned = this.ban(address) ?? this.#penalty(address, source);
    if (banned !== undefined) return { source, why: 'banned', text: banned };
    switch (this.#pendingLogins.refusal(source, this.#isKnown(source))) {
      case 'source':
        return {
          source,
          why: 'connections',
          text: 'Too many connections from this address are logging in: try again in a moment.',
        };
      case 'all':
        return { source, why: 'connections', text: 'Too many connections are logging in: try again in a moment.' };
      case undefined:
        this.#watch(socket, address, source);
        return undefined;
    }
  }

  #penalty(address: string, source: string): string | undefined {
    if (this.#isHere(source) || this.#isExempt(address)) return undefined;
    const found = this.#penalties.refusal(source, this.#now());
    if (found === undefined) return undefined;
    if (found === 'overflow') return 'Too many addresses are refused at the moment: try again in a minute.';
    const why = penaltyReasons[found.why];
    return `${why.charAt(0).toUpperCase()}${why.slice(1)} from this address: try again in ${inWords(found.untilMs - this.#now())}.`;
  }

  #isExempt(address: string): boolean {
    return this.#exempt.find(address).next().done !== true;
  }

  /** Whether somebody is logged in from there. */
  #isHere(source: string): boolean {
    return (this.#known.get(source)?.open ?? 0) > 0;
  }

  #isKnown(source: string): boolean {
    const known = this.#known.get(source);
    return known !== undefined && (known.open > 0 || this.#now() - known.lastMs < knownMs);
  }

  #watch(socket: GateSocket, address: string, source: string): void {
    this.#pendingLogins.begin(source);
    let deserved: PenaltyReason | undefined = 'noLogin';
    let isIn = false;
    socket.on('attempt', () => (deserved = deserved === 'noLogin' ? 'failedLogin' : deserved));
    socket.once('late', () => (deserved = 'late'));
    socket.once('violation', () => (deserved = 'violation'));
    socket.once('forgiven', () => (deserved = undefined));
    socket.once('authenticated', () => {
      isIn = true;
      this.#pendingLogins.end(source);
      this.#login(source, 1);
    });
    socket.once('close', () => {
      if (isIn) return this.#login(source, -1);
      this.#pendingLogins.end(source);
      if (deserved === undefined || this.#isHere(source) || this.#isExempt(address)) return undefined;
      const begun = this.#penalties.penalise(source, deserved, this.#now());
      if (begun !== undefined) this.#options.onPenalty(begun);
      return undefined;
    });
  }

  #login(source: string, change: 1 | -1): void {
    const open = (this.#known.get(source)?.open ?? 0) + change;
    this.#known.delete(source);
    this.#known.set(source, { open, lastMs: this.#now() });
    if (this.#known.size <= maxKnownSources) return;
    for (const [known, { open: logins }] of this.#known) {
      if (logins > 0) continue;
      this.#known.delete(known);
      return;
    }
  }
}

function inWords(ms: number): string {
  return formatUptime(Math.ceil(ms / 1000) * 1000);
}
