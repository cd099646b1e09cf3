/**
 * The addresses that a key may be used from: `from=` in sshd(8), AUTHORIZED_KEYS FILE FORMAT, and `source-address` in
 * certificates. Addresses and networks (CIDR) are accepted. Host names are not, because their owner controls what they
 * resolve to.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { Failure } from '../failure.ts';
import { quoted } from '../text.ts';

const maxEntries = 64;

export class AddressList {
  /** The list as written, without spaces. */
  readonly text: string;
  readonly #allowed = new BlockList();
  readonly #refused = new BlockList();

  private constructor(text: string, entries: readonly Entry[]) {
    this.text = text;
    for (const { negated, network, prefix, family } of entries)
      (negated ? this.#refused : this.#allowed).addSubnet(network, prefix, family);
  }

  /**
   * Parses a comma-separated list. `!` before an entry excludes it, as in ssh_config(5), PATTERNS. Throws `usage`.
   */
  static parse(text: string): AddressList {
    const words = text.split(',').map((word) => word.trim());
    if (words.length > maxEntries) throw refused(text, `more than ${maxEntries} entries`);
    const entries = words.map(entry);
    if (entries.every(({ negated }) => negated)) throw refused(text, 'only exclusions, so it matches nothing');
    return new AddressList(words.join(','), entries);
  }

  /** Reports whether the list contains an address as a socket reports it, and does not exclude it. */
  has(address: string): boolean {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
    const family = isIPv4(plain) ? 'ipv4' : isIPv6(plain) ? 'ipv6' : undefined;
    return family !== undefined && !this.#refused.check(plain, family) && this.#allowed.check(plain, family);
  }
}

interface Entry {
  readonly negated: boolean;
  readonly network: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

function entry(word: string): Entry {
  const [, mark = '', network = '', prefix] = /^(!?)([^/]*)(?:\/(\d{1,3}))?$/.exec(word) ?? [];
  const family = isIPv4(network) ? 'ipv4' : isIPv6(network) && !network.includes('%') ? 'ipv6' : undefined;
  if (family === undefined) {
    throw refused(
      word,
      /[*?]/.test(word)
        ? 'patterns are not supported'
        : /^[\w.!-]+$/.test(word) && /[a-z]/i.test(word)
          ? 'host names are not supported'
          : 'neither an address nor a network',
    );
  }
  const longest = family === 'ipv4' ? 32 : 128;
  const length = prefix === undefined ? longest : Number(prefix);
  if (length > longest) throw refused(word, `prefix length greater than ${longest}`);
  return { negated: mark === '!', network, prefix: length, family };
}

function refused(text: string, why: string): Failure {
  return new Failure('usage', {
    what: `address list ${quoted(text)}`,
    why,
    next: 'list addresses and networks, for example 10.0.0.0/8,2001:db8::/32,192.0.2.7',
  });
}
