/** Strips the IPv4-mapped prefix that a dual-stack socket reports, and the zone (`%eth0`) of an IPv6 address. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
}
