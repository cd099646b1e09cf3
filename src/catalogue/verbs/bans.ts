/** The verbs about bans and penalties. */
import * as z from 'zod';
import type { BanInfo } from '../../domain/access/ban.ts';
import { parseNetwork } from '../../domain/values/network.ts';
import type { BanChange } from '../../domain/results/bans.ts';
import { parseSpan } from '../../domain/values/duration.ts';
import { parsedBy } from '../declaration/schema.ts';
import { showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, Rows, ViewContext } from '../declaration/view.ts';

const network = parsedBy(parseNetwork, 64);

export function banTable(bans: readonly BanInfo[], context: ViewContext): Block {
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
    empty: 'No bans or penalties',
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
  summary: 'address or network, for example 192.0.2.0/24',
  required: true,
} as const;

export const banList = defineVerb({
  name: 'ban list',
  aliases: ['ban ls'],
  summary: 'List addresses that may not connect over ssh, and until when',
  description: [
    'A ban is set by an admin. A penalty is imposed by the server on a source that connects repeatedly without logging in. It ends by itself, and each further penalty of the same source is longer. A source is an IPv4 address, or the /64 of an IPv6 address.',
  ],
  examples: [{ line: 'ban list', says: 'all bans and penalties in force' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
  view: ({ bans }: { readonly bans: readonly BanInfo[] }, context) => [banTable(bans, context)],
  rows: ({ bans }) => banRows(bans),
});

export const banAdd = defineVerb({
  name: 'ban add',
  summary: 'Reject connections from an address or a network',
  description: [
    'Rejected clients are told about the ban and its reason. Connections that have not logged in yet are closed. Existing logins stay open: use `session kick` to end them. A network wider than a /8 (IPv6: /32) requires `--yes`, and one from which you or an admin are logged in `--yes --lock-out`. Only an admin may ban a network wider than a /16 (IPv6: /32).',
    'If the address is already banned, its time and reason are replaced.',
  ],
  ends: {
    usage: 'the network is very wide, or you or an admin are logged in from it, and --yes or --lock-out is missing',
    denied: 'the network is wider than what an operator may ban',
    conflict: 'there are too many bans',
  },
  examples: [
    { line: 'ban add 192.0.2.7 --for 1h', says: 'for one hour' },
    { line: 'ban add 2001:db8::/64 --reason "scans"', says: 'until lifted' },
  ],
  access: { manage: 'operator' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  target: 'network',
  parameters: [
    networkArgument,
    {
      kind: 'option',
      name: 'for',
      long: ['for'],
      value: 'time',
      summary: 'duration, for example 15m, 1h or 7d (default: until lifted)',
    },
    { kind: 'option', name: 'reason', long: ['reason'], value: 'text', summary: 'reason that rejected clients see' },
    {
      kind: 'option',
      name: 'yes',
      long: ['yes'],
      short: 'y',
      summary: 'allow a very wide network',
    },
    {
      kind: 'option',
      name: 'lockOut',
      long: ['lock-out'],
      summary: 'with --yes: allow a network from which you or an admin are logged in',
    },
  ],
  input: () =>
    z.strictObject({
      network,
      for: parsedBy(parseSpan, 16).optional(),
      reason: z.string().trim().min(1).max(200).optional(),
      yes: z.boolean().optional(),
      lockOut: z.boolean().optional(),
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
  summary: 'Lift the ban and the penalties of an address or a network',
  description: [
    'Ends the ban of exactly this network, and the penalties of all sources in it. Use it to let a user log in again before a penalty ends.',
  ],
  ends: { notFound: 'there is no ban of exactly this network, and no penalty in it' },
  examples: [{ line: 'ban lift 192.0.2.7', says: 'a ban, or a penalty after too many wrong keys' }],
  access: { manage: 'operator' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  target: 'network',
  parameters: [networkArgument],
  input: () => z.strictObject({ network }),
  view: ({ network: from, bans }: BanChange, context) => [
    { kind: 'text', tone: 'good', text: `${from} may connect again` },
    banTable(bans, context),
  ],
  rows: ({ bans }) => banRows(bans),
});
