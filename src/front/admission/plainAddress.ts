/** IPv4 addresses as such, also where the socket is a dual one; IPv6 addresses without the name of an interface. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
}
