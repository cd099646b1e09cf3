/**
 * The gate decides for each new connection whether it may begin to log in. It decides at once, before a byte is read,
 * from what is in memory: bans, penalties of the connection's source, and the number of pending logins. It then watches
 * the connection until it logs in or closes, and charges the outcome to its source.
 *
 * A source is an IPv4 address or an IPv6 /64. While a login from a source is open, no penalty begins there and none is
 * applied: a wrong key in a second window must not lock out the person who works in the first.
 */
import type { Socket } from 'node:net';
import { currentBan, penaltyReasons, type Ban, type PenaltyReason } from '../domain/access/ban.ts';
import { NetworkMap, parseNetwork, sourceOf } from '../domain/values/network.ts';
import { printable } from '../domain/text.ts';
import { timeLeftInWords } from '../domain/values/duration.ts';
import { Penalties, type BegunPenalty, type PenaltyLimits } from './penalties.ts';
import { PendingLogins, type PendingLoginLimits } from './pendingLogins.ts';

export interface GateOptions {
  readonly pendingLogins: PendingLoginLimits;
  readonly penalties: PenaltyLimits & { readonly exempt: readonly string[] };
  readonly now?: () => number;
  readonly random?: () => number;
  /** Called when a penalty begins. */
  readonly onPenalty: (begun: BegunPenalty) => void;
}

/** The part of a connection's socket that the gate uses. */
export type GateSocket = Pick<Socket, 'remoteAddress' | 'once' | 'on'>;

/** Why a connection is rejected, and the line that the client gets. */
export interface Rejected {
  readonly source: string;
  readonly why: 'banned' | 'connections';
  readonly text: string;
}

/** How long after a login its source keeps reserved slots for pending logins, in milliseconds. */
const knownMs = 60 * 60 * 1000;
const maxKnownSources = 10_000;

export class Gate {
  readonly #options: GateOptions;
  readonly #now: () => number;
  readonly #pendingLogins: PendingLogins;
  readonly #penalties: Penalties;
  readonly #exempt = new NetworkMap<true>();
  #bans = new NetworkMap<Ban>();
  /** Number of open logins of each source, and when the last login began or ended. */
  readonly #known = new Map<string, { open: number; lastMs: number }>();

  constructor(options: GateOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#pendingLogins = new PendingLogins(options.pendingLogins, options.random);
    this.#penalties = new Penalties(options.penalties);
    for (const text of options.penalties.exempt) this.#exempt.set(parseNetwork(text), true);
  }

  /** Replaces the bans set by admins. */
  setBans(bans: readonly Ban[]): void {
    this.#bans = new NetworkMap();
    for (const ban of bans) this.#bans.set(parseNetwork(ban.network), ban);
  }

  /** Restores penalties from before a restart of the front. */
  restore(penalties: readonly BegunPenalty[]): void {
    for (const penalty of penalties) this.#penalties.restore(penalty, this.#now());
  }

  /** Forgets a source's penalty and everything that led to it. */
  lift(source: string): void {
    this.#penalties.lift(source);
  }

  /** Returns the line for a client whose address is banned by an admin. */
  banMessage(address: string): string | undefined {
    for (const ban of this.#bans.find(address)) {
      const { until, reason } = this.#currentBan(ban);
      const leftMs = until === null ? Infinity : Date.parse(until) - this.#now();
      if (leftMs > 0)
        return `This address is banned${reason === null ? '' : ` (${printable(reason)})`}: ${until === null ? 'an admin of this host can lift the ban' : `try again in ${timeLeftInWords(leftMs)}`}.`;
    }
    return undefined;
  }

  /** Returns a ban by the present clock, and keeps it if the clock was set back. */
  #currentBan(ban: Ban): Ban {
    const present = currentBan(ban, this.#now());
    if (present !== ban) this.#bans.set(parseNetwork(ban.network), present);
    return present;
  }

  /**
   * Decides whether to admit a connection, and returns the reason if it is rejected. The server and the connection tell
   * the gate about an admitted one through events that they emit on its socket: `attempt` (a login failed), `late`,
   * `violation`, `authenticated`, and `forgiven` (the server closes it, and the client is not at fault).
   */
  admit(socket: GateSocket): Rejected | undefined {
    const address = socket.remoteAddress ?? '';
    const source = sourceOf(address)?.text;
    // The client closed the connection before it was accepted.
    if (source === undefined) return { source: '', why: 'connections', text: 'Try again.' };
    const banned = this.banMessage(address) ?? this.#penaltyMessage(address, source);
    if (banned !== undefined) return { source, why: 'banned', text: banned };
    switch (this.#pendingLogins.rejection(source, this.#isKnown(source))) {
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

  #penaltyMessage(address: string, source: string): string | undefined {
    if (this.#hasLogin(source) || this.#isExempt(address)) return undefined;
    const found = this.#penalties.rejection(source, this.#now());
    if (found === undefined) return undefined;
    if (found === 'overflow') return 'Too many addresses are being rejected: try again in a minute.';
    const why = penaltyReasons[found.why];
    return `${why.charAt(0).toUpperCase()}${why.slice(1)} from this address: try again in ${timeLeftInWords(found.untilMs - this.#now())}.`;
  }

  #isExempt(address: string): boolean {
    return this.#exempt.find(address).next().done !== true;
  }

  #hasLogin(source: string): boolean {
    return (this.#known.get(source)?.open ?? 0) > 0;
  }

  /** Whether the source has a login, or had one within the last hour. */
  #isKnown(source: string): boolean {
    const known = this.#known.get(source);
    return known !== undefined && (known.open > 0 || this.#now() - known.lastMs < knownMs);
  }

  #watch(socket: GateSocket, address: string, source: string): void {
    this.#pendingLogins.begin(source);
    let reason: PenaltyReason | undefined = 'noLogin';
    let isLoggedIn = false;
    socket.on('attempt', () => (reason = reason === 'noLogin' ? 'failedLogin' : reason));
    socket.once('late', () => (reason = 'late'));
    socket.once('violation', () => (reason = 'violation'));
    socket.once('forgiven', () => (reason = undefined));
    socket.once('authenticated', () => {
      isLoggedIn = true;
      this.#pendingLogins.end(source);
      this.#countLogin(source, 1);
    });
    socket.once('close', () => {
      if (isLoggedIn) return this.#countLogin(source, -1);
      this.#pendingLogins.end(source);
      if (reason === undefined || this.#hasLogin(source) || this.#isExempt(address)) return undefined;
      const begun = this.#penalties.penalise(source, reason, this.#now());
      if (begun !== undefined) this.#options.onPenalty(begun);
      return undefined;
    });
  }

  #countLogin(source: string, change: 1 | -1): void {
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
