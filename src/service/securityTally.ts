/** Counts the journal's records of logins, connections and failures, for `security`. */
import { isIP } from 'node:net';
import type { BanInfo } from '../domain/access/ban.ts';
import { isJsonObject, type JsonObject } from '../domain/json.ts';
import type { ActivePerson, FailedLogins } from '../domain/results/security.ts';
import { contains, parseNetwork } from '../domain/values/network.ts';
import { summedConnections } from './connections.ts';

/** How many addresses are named. */
const maxSources = 20;

type Place = 'server' | 'host';

export class SecurityTally {
  readonly types = ['login', 'connection', 'connections', 'refusals', 'ssh-failures'];
  readonly #since: string;
  readonly #people = new Map<string, { -readonly [Key in keyof ActivePerson]: ActivePerson[Key] }>();
  readonly #sources = new Map<string, Record<Place, number>>();
  readonly #failed: Record<Place, number> = { server: 0, host: 0 };
  #unlisted = 0;

  /** Counts what happened since a time. */
  constructor(since: Date) {
    this.#since = since.toISOString();
  }

  take(record: JsonObject & { readonly time: string }): void {
    switch (record['type']) {
      case 'login':
        return this.#addLogin(record);
      case 'connection':
        // It may have been recorded later, after the server was down.
        if (typeof record['at'] === 'string' && record['at'] >= this.#since) this.#addConnections(record, record['at']);
        return;
      case 'connections':
        for (const [user, count] of summedConnections(record).users)
          this.#add('user', user, 'connections', count, record.time);
        return;
      case 'refusals':
        return this.#addFailures('server', record);
      case 'ssh-failures':
        return this.#addFailures('host', record);
      default:
    }
  }

  /** Notes that a person is here now, since a time that may be earlier than the records. */
  seen(kind: ActivePerson['kind'], name: string, since: string): void {
    if (since < this.#since) this.#add(kind, name, 'logins', 0, since);
  }

  /** `isHostKnown`: whether the failures at the host's own sshd are known. */
  failures(bans: readonly BanInfo[], isHostKnown: boolean): FailedLogins {
    const networks = bans.map(({ network }) => parseNetwork(network));
    const isBanned = (address: string): boolean =>
      isIP(address) !== 0 && networks.some((network) => contains(network, parseNetwork(address)));
    const sources = [...this.#sources]
      .map(([address, counts]) => ({ address, ...counts }))
      .sort((a, b) => b.server + b.host - a.server - a.host || a.address.localeCompare(b.address));
    const rest = sources.slice(maxSources).reduce((sum, { server, host }) => sum + server + host, 0);
    return {
      server: this.#failed.server,
      host: isHostKnown ? this.#failed.host : null,
      sources: sources.slice(0, maxSources).map((source) => ({ ...source, banned: isBanned(source.address) })),
      unlisted: this.#unlisted + rest,
    };
  }

  /** Returns who was active, the latest first. */
  active(): ActivePerson[] {
    return [...this.#people.values()].sort((a, b) => b.lastAt.localeCompare(a.lastAt) || a.name.localeCompare(b.name));
  }

  #addLogin({ actor, time }: JsonObject & { readonly time: string }): void {
    if (!isJsonObject(actor) || typeof actor['name'] !== 'string') return;
    this.#add(actor['entryPoint'] === 'self' ? 'user' : 'admin', actor['name'], 'logins', 1, time);
  }

  #addConnections({ target }: JsonObject, at: string): void {
    if (typeof target === 'string') this.#add('user', target, 'connections', 1, at);
  }

  #addFailures(place: Place, record: JsonObject): void {
    const all = numberOf(record['count']);
    const top = Array.isArray(record['top']) ? record['top'].filter(isJsonObject) : [];
    let listed = 0;
    for (const { address, count } of top) {
      if (typeof address !== 'string') continue;
      const counts = this.#sources.get(address) ?? { server: 0, host: 0 };
      counts[place] += numberOf(count);
      listed += numberOf(count);
      this.#sources.set(address, counts);
    }
    this.#failed[place] += all;
    this.#unlisted += Math.max(0, all - listed);
  }

  #add(kind: ActivePerson['kind'], name: string, what: 'logins' | 'connections', count: number, at: string): void {
    const key = `${kind} ${name}`;
    const found = this.#people.get(key) ?? { name, kind, logins: 0, connections: 0, lastAt: at };
    found[what] += count;
    if (at > found.lastAt) found.lastAt = at;
    this.#people.set(key, found);
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
