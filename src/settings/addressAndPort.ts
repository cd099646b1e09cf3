import { isIP } from 'node:net';
import { Failure } from '../domain/failure.ts';

export interface AddressAndPort {
  readonly address: string;
  readonly port: number;
}

/** Parses `127.0.0.1:2222`, `[::1]:0`, or `:2222` for every IPv4 address. Throws `settings`. */
export function parseAddressAndPort(text: string): AddressAndPort {
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<v4>[0-9.]*)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.['port']);
  const address = match?.groups?.['v6'] ?? (match?.groups?.['v4'] || '0.0.0.0');
  if (match === null || port > 65_535 || isIP(address) === 0) {
    throw new Failure('settings', {
      what: `listen address "${text}"`,
      why: 'it is not an address and a port',
      next: 'for example 127.0.0.1:2222, [::]:2222, or 0.0.0.0:0 for a free port',
    });
  }
  return { address, port };
}
