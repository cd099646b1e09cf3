/** Settings of the firewall between containers, host and world. */
import * as z from 'zod';
import { parsedText } from '../domain/check.ts';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import { networkText } from './types.ts';

/** A port of this host. */
export interface HostPort {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
}

/** Parses `22`, `22/tcp` or `123/udp`, as in services(5). Throws `usage`. */
function parseHostPort(text: string): HostPort {
  const [, number = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(text) ?? [];
  const port = Number(number);
  if (port >= 1 && port <= 65_535) return { port, protocol: protocol === 'udp' ? 'udp' : 'tcp' };
  throw new Failure('usage', {
    what: `port ${quoted(text)}`,
    why: 'not a port of this host',
    next: 'use a number from 1 to 65535, with /tcp or /udp: for example 2222 or 123/udp',
  });
}

export const firewallSettings = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        'Load the tables of nftables that separate containers from each other, from this host and from its networks. With false they are removed.',
      ),
    deniedNetworks: z
      .array(networkText)
      .max(1000)
      .optional()
      .describe(
        'Networks that containers may not reach. Default: the link-local networks (169.254.0.0/16, fe80::/10), the metadata services of clouds that have it elsewhere, and the private networks that this host is connected to.',
      ),
    hostPorts: z
      .array(parsedText(parseHostPort).meta({ title: 'port' }))
      .max(100)
      .default([])
      .describe(
        'Ports of this host that containers may reach, on each of its addresses, for example `2222` or `123/udp`. DNS and DHCP on the bridge are always open.',
      ),
    maxConnections: z
      .number()
      .int()
      .min(64)
      .max(1_000_000)
      .default(4096)
      .describe(
        'Maximum number of connections that the kernel tracks for one container. All containers share one table (nf_conntrack_max).',
      ),
  })
  .prefault({})
  .describe('What containers may reach. docs/security.md has the whole list.');
