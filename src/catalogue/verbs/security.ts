/** The verb `security`. */
import * as z from 'zod';
import type { LoginInfo } from '../../domain/access/login.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { SecurityOverview } from '../../domain/results/security.ts';
import { plural, printable } from '../../domain/text.ts';
import { someText } from '../declaration/schema.ts';
import { showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, Rows, ViewContext } from '../declaration/view.ts';
import { banTable } from './bans.ts';
import { connectionTable } from './connections.ts';
import { actorOf, detailText, text } from './records.ts';
import { readEnds } from './shared.ts';

/** How many bans and penalties the view shows; `ban list` shows all. */
const maxBans = 20;

const title = (words: string): Block => ({ kind: 'text', text: words });

function sessionTable(sessions: readonly LoginInfo[], context: ViewContext): Block {
  return {
    kind: 'table',
    columns: [{ title: 'NAME' }, { title: 'ROLE' }, { title: 'ENTRY POINT' }, { title: 'SINCE' }, { title: 'FROM' }],
    rows: sessions.map(({ name, role, entryPoint, since, address }) => [
      name,
      role,
      entryPoint,
      showTime(since, context),
      address ?? '-',
    ]),
    empty: 'Nobody is logged in',
  };
}

function failureBlocks({ failures }: SecurityOverview): Block[] {
  const { server, host, sources, unlisted } = failures;
  const atHost = host === null ? 'not known' : String(host);
  return [
    title(`Failed and refused logins: ${server} at this server, at the host's sshd: ${atHost}`),
    {
      kind: 'table',
      columns: [
        { title: 'FROM' },
        { title: 'SERVER', align: 'right' },
        { title: 'HOST', align: 'right' },
        { title: 'BANNED' },
      ],
      rows: sources.map((source) => [
        source.address,
        String(source.server),
        String(source.host),
        source.banned ? 'yes' : '-',
      ]),
      empty: 'None',
    },
    ...(unlisted === 0
      ? []
      : [{ kind: 'text', tone: 'quiet', text: `${plural(unlisted, 'login')} from further addresses` } as const]),
  ];
}

function activeTable({ active }: SecurityOverview, context: ViewContext): Block {
  return {
    kind: 'table',
    columns: [
      { title: 'NAME' },
      { title: 'KIND' },
      { title: 'LOGINS', align: 'right' },
      { title: 'CONNECTIONS', align: 'right' },
      { title: 'LAST' },
    ],
    rows: active.map(({ name, kind, logins, connections, lastAt }) => [
      name,
      kind,
      String(logins),
      String(connections),
      showTime(lastAt, context),
    ]),
    empty: 'Nobody',
  };
}

function checkBlocks({ checks }: SecurityOverview): Block[] {
  const bad = checks.filter(({ severity }) => severity !== 'ok');
  if (bad.length === 0)
    return [{ kind: 'text', tone: 'good', text: `${plural(checks.length, 'check')} of security passed` }];
  return [
    title('Checks that did not pass'),
    {
      kind: 'table',
      columns: [{ title: 'CHECK' }, { title: 'RESULT' }, { title: 'DETAIL' }],
      rows: bad.map(({ name, severity, detail, next }) => [
        name,
        severity,
        next === null ? detail : `${detail} → ${next}`,
      ]),
      empty: '',
    },
  ];
}

function expiringBlocks({ expiring }: SecurityOverview, context: ViewContext): Block[] {
  if (expiring.length === 0) return [];
  return [
    title('Keys and certificates that expire'),
    {
      kind: 'table',
      columns: [{ title: 'ADMIN' }, { title: 'KIND' }, { title: 'ID' }, { title: 'EXPIRES' }],
      rows: expiring.map(({ admin, kind, id, expiresAt }) => [admin, kind, id, showTime(expiresAt, context)]),
      empty: 'None',
    },
  ];
}

function view(result: SecurityOverview, context: ViewContext): Block[] {
  const { sessions, connections, trouble, bans, since } = result;
  return [
    title('Logged in at this server'),
    sessionTable(sessions, context),
    title('Connected through the host'),
    connectionTable(connections, context, 'Nobody is connected'),
    ...(trouble === null
      ? []
      : [{ kind: 'text', tone: 'warn', text: `Connections are not known: ${printable(trouble)}` } as const]),
    title(`Since ${since}`),
    ...failureBlocks(result),
    title('Active'),
    activeTable(result, context),
    title('Bans and penalties in force'),
    banTable(bans.slice(0, maxBans), context),
    ...(bans.length <= maxBans
      ? []
      : [{ kind: 'text', tone: 'quiet', text: `${bans.length - maxBans} more: ban list` } as const]),
    ...expiringBlocks(result, context),
    ...checkBlocks(result),
  ];
}

/** Returns one row for each thing that is shown. */
function rows(result: SecurityOverview): Rows {
  return {
    columns: ['section', 'name', 'kind', 'address', 'at', 'count', 'detail'],
    rows: [
      ...result.sessions.map((s) => ['session', s.name, s.entryPoint, s.address, s.since, null, s.role]),
      ...result.connections.map((c) => [
        'connection',
        c.user,
        c.method,
        c.address,
        c.startedAt,
        null,
        c.fingerprint ?? '',
      ]),
      ...result.failures.sources.flatMap((source) =>
        (['server', 'host'] as const)
          .filter((place) => source[place] > 0)
          .map((place) => ['failures', '', place, source.address, null, source[place], source.banned ? 'banned' : '']),
      ),
      ...result.active.map((p) => ['active', p.name, p.kind, null, p.lastAt, p.logins + p.connections, '']),
      ...result.bans.map((b) => ['ban', b.by ?? '', b.kind, b.network, b.at, null, b.reason ?? '']),
      ...result.expiring.map((e) => ['expiring', e.admin, e.kind, null, e.expiresAt, null, e.id]),
      ...result.checks.map((c) => ['check', c.name, c.severity, null, null, null, c.detail]),
    ],
  };
}

export const security = defineVerb({
  name: 'security',
  summary: 'Show who is connected, who failed to log in, and what is open to attack',
  description: [
    'Sessions at this server and connections through the host, failed logins by address, bans and penalties, who was active, keys of admins that expire within two weeks, and the checks of `doctor` that are about security.',
    'With --follow, it prints each login, connection, failure, penalty and change of access as it happens, until it is interrupted; first the last ones. Failures are summed up in at most one line per minute.',
  ],
  examples: [
    { line: 'security', says: 'now, and what happened today (UTC)' },
    { line: 'security --since 1h', says: 'what happened in the last hour' },
    { line: 'security --follow', says: 'what happens, as it happens; Ctrl-C stops it' },
  ],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  streamSwitch: 'follow',
  parameters: [
    {
      kind: 'option',
      name: 'since',
      long: ['since'],
      value: 'time',
      summary: 'what happened since this time (default: today): 1h, 3d, yesterday, 2026-11-23',
    },
    { kind: 'option', name: 'follow', long: ['follow'], short: 'f', summary: 'print what happens, as it happens' },
  ],
  input: () =>
    z
      .strictObject({ since: someText(64).optional(), follow: z.boolean().optional() })
      .refine(({ since, follow }) => since === undefined || follow !== true, {
        message: '--since and --follow cannot be combined',
      }),
  ends: { ...readEnds, failed: 'the journal contains an invalid record: run audit verify' },
  view: (result: SecurityOverview | { readonly followed: true }, context) =>
    'followed' in result ? [] : view(result, context),
  rows: (result) => ('followed' in result ? { columns: [], rows: [] } : rows(result)),
});

/** Records that are events by their type. */
const eventTypes = [
  'login',
  'logout',
  'connection',
  'connection-end',
  'connections',
  'ssh-failures',
  'refusals',
  'penalty',
  'penalties',
  'refused',
];

/** The types of records that may be events of `security --follow`. */
export const securityEventTypes: readonly string[] = [...eventTypes, 'outcome'];

/**
 * Returns a record as a line of `security --follow`; undefined if it is no event. Of the calls, those are events that
 * `isAboutAccess`. `time` is in RFC 3339 UTC.
 */
export function securityEvent(
  record: JsonObject,
  time: string,
  isAboutAccess: (verb: string) => boolean,
): string | undefined {
  const [type, verb] = [text(record['type']) ?? '', text(record['verb'])];
  if (type === 'outcome' ? verb === null || !isAboutAccess(verb) : !eventTypes.includes(type)) return undefined;
  const target = text(record['target']);
  const call = verb === null ? [] : [`${verb}${target === null ? '' : ` ${target}`}`];
  const detail = [...call, detailText(record) || (text(record['outcome']) ?? '')].filter((part) => part !== '');
  const line = `${time.slice(0, 19)}Z  ${type.padEnd(14)}  ${actorOf(record).padEnd(12)}  ${detail.join(': ')}`;
  return printable(line.trimEnd());
}
