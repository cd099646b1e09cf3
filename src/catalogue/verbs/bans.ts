/** Who is not let in. */
import { z } from 'zod';
import type { BanInfo } from '../../domain/access/ban.ts';
import { parseNetwork } from '../../domain/values/network.ts';
import type { BanChange } from '../../domain/results/bans.ts';
import { parseSpan } from '../../domain/values/time.ts';
import { parsedBy } from '../declaration/schema.ts';
import { showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, Rows, ViewContext } from '../declaration/view.ts';

const network = parsedBy(parseNetwork, 64);

function banTable(bans: readonly BanInfo[], context: ViewContext): Block {
  return {
    kind: 'table',
    columns: [
      { title: 'FROM' },
      { title: 'KIND' },
      { title: 'SINCE' },
      { title: 'UNTIL' },
      { title: 'BY' },
      { title: 'REASON' },
    ],
    rows: bans.map(({ network: from, kind, at, until, by, reason }) => [
      from,
      kind,
      showTime(at, context),
      until === null ? 'lifted' : showTime(until, context),
      by ?? '-',
      reason ?? '-',
    ]),
    empty: 'Nobody is banned',
  };
}

function banRows(bans: readonly BanInfo[]): Rows {
  return {
    columns: ['network', 'kind', 'reason', 'by', 'at', 'until'],
    rows: bans.map(({ network: from, kind, reason, by, at, until }) => [from, kind, reason, by, at, until]),
  };
}

const networkArgument = {
  kind: 'argument',
  name: 'network',
  summary: 'an address, or a network: 192.0.2.0/24',
  required: true,
} as const;

export const banList = defineVerb({
  name: 'ban list',
  aliases: ['ban ls'],
  summary: 'List who is not let in over ssh, and until when',
  description: [
    'A ban was given by an admin. A penalty began by itself, after connections that did not log in, and ends by itself; the next one of the same source is longer. A source is an IPv4 address, or the /64 of an IPv6 address.',
  ],
  examples: [{ line: 'ban list', says: 'is somebody locked out?' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: z.strictObject({}),
  view: ({ bans }: { readonly bans: readonly BanInfo[] }, context) => [banTable(bans, context)],
  rows: ({ bans }) => banRows(bans),
});

export const banAdd = defineVerb({
  name: 'ban add',
  summary: 'Let nobody in from an address or a network',
  description: [
    'Whoever connects from there is told so, with the reason. Connections that have not logged in yet are closed; who is logged in stays, until `session kick`. A network that is wider than a /8 (IPv6: /32), or that your own address is in, needs `--yes`.',
    'For an address that is banned already, time and reason are replaced.',
  ],
  ends: { usage: 'the network is very wide, or your own, and --yes is missing', conflict: 'there are too many bans' },
  examples: [
    { line: 'ban add 192.0.2.7 --for 1h', says: 'for an hour' },
    { line: 'ban add 2001:db8::/64 --reason "scans"', says: 'until it is lifted' },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  target: 'network',
  parameters: [
    networkArgument,
    {
      kind: 'option',
      name: 'for',
      long: ['for'],
      value: 'time',
      summary: 'how long: 15m, 1h, 7d; without it until it is lifted',
    },
    { kind: 'option', name: 'reason', long: ['reason'], value: 'text', summary: 'what they are told' },
    {
      kind: 'option',
      name: 'yes',
      long: ['yes'],
      short: 'y',
      summary: 'also for a very wide network, and for your own',
    },
  ],
  input: z.strictObject({
    network,
    for: parsedBy(parseSpan, 16).optional(),
    reason: z.string().trim().min(1).max(200).optional(),
    yes: z.boolean().optional(),
  }),
  view: ({ network: from, bans }: BanChange, context) => [
    { kind: 'text', tone: 'good', text: `${from} is banned` },
    banTable(bans, context),
  ],
  rows: ({ bans }) => banRows(bans),
});

export const banLift = defineVerb({
  name: 'ban lift',
  aliases: ['ban remove', 'ban rm'],
  summary: 'Let them in again from an address or a network',
  description: [
    'Ends the ban of exactly this network, and the penalties of all sources in it. Somebody who cannot log in any more needs this, or some patience.',
  ],
  ends: { notFound: 'nothing is refused from exactly there' },
  examples: [{ line: 'ban lift 192.0.2.7', says: 'a ban, or a penalty after too many wrong keys' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  target: 'network',
  parameters: [networkArgument],
  input: z.strictObject({ network }),
  view: ({ network: from, bans }: BanChange, context) => [
    { kind: 'text', tone: 'good', text: `${from} is let in again` },
    banTable(bans, context),
  ],
  rows: ({ bans }) => banRows(bans),
});
