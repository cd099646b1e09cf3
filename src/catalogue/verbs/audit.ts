/** The verbs about the journal. */
import * as z from 'zod';
import type { AuditRecords, AuditVerification } from '../../domain/results/audit.ts';
import type { ConnectionCounts, ConnectionList } from '../../domain/results/connections.ts';
import { plural, safeJson } from '../../domain/text.ts';
import { username, someText, wholeNumber } from '../declaration/schema.ts';
import { showLocalTime } from '../declaration/show.ts';
import { defineVerb, type Option } from '../declaration/verb.ts';
import type { Block, Rows, ViewContext } from '../declaration/view.ts';
import { connectionRows, connectionsView, countRows, countsView } from './connections.ts';
import { actorName, actorOf, detailText, entryPointOf, text } from './records.ts';

const journalEnds = { failed: 'the journal contains an invalid record: run audit verify' } as const;

const filterOptions: readonly Option[] = [
  {
    kind: 'option',
    name: 'actor',
    narrows: true,
    long: ['actor'],
    value: 'name',
    summary: 'only records of this actor',
    complete: 'admins',
  },
  {
    kind: 'option',
    name: 'verb',
    narrows: true,
    long: ['verb'],
    value: 'verb',
    summary: 'only records of this verb',
    complete: 'verbs',
  },
  {
    kind: 'option',
    name: 'target',
    narrows: true,
    long: ['target'],
    value: 'name',
    summary: 'only records with this user or name as the target',
    complete: 'users',
  },
  {
    kind: 'option',
    name: 'session',
    narrows: true,
    long: ['session'],
    value: 'session',
    summary: 'only records of this login, by its id in session list',
    complete: 'sessions',
  },
  {
    kind: 'option',
    name: 'text',
    narrows: true,
    long: ['text'],
    value: 'text',
    summary: 'only records that have this text anywhere, in upper or lower case',
  },
  {
    kind: 'option',
    name: 'since',
    narrows: true,
    long: ['since'],
    value: 'time',
    summary: 'only records since this time: 2h, 3d, yesterday, 2026-11-23, 2026-11-23T14:05:00Z',
  },
  {
    kind: 'option',
    name: 'until',
    narrows: true,
    long: ['until'],
    value: 'time',
    summary: 'only records up to this time',
  },
  {
    kind: 'option',
    name: 'limit',
    long: ['limit'],
    short: 'n',
    value: 'count',
    summary: 'at most this many records, the newest ones',
  },
];

const filterInput = {
  actor: someText(64).optional(),
  verb: someText(64).optional(),
  target: someText(256).optional(),
  session: someText(64).optional(),
  text: someText(256).optional(),
  since: someText(64).optional(),
  until: someText(64).optional(),
  limit: wholeNumber(1, 9_999_999).optional(),
};

/** Maximum number of characters of a record's detail in a table. `audit export` prints everything. */
const maxDetailLength = 110;

/** Shortens a detail to {@link maxDetailLength}, with an ellipsis. */
function clipped(detail: string): string {
  const characters = [...detail];
  return characters.length <= maxDetailLength ? detail : `${characters.slice(0, maxDetailLength - 1).join('')}…`;
}

function recordsView(result: AuditRecords, context: ViewContext): Block[] {
  return [
    {
      kind: 'table',
      columns: [
        { title: 'SEQ', align: 'right', priority: 8 },
        { title: 'TIME', priority: 1 },
        { title: 'ACTOR', priority: 2 },
        { title: 'TYPE', priority: 7 },
        { title: 'VERB', priority: 3 },
        { title: 'TARGET', priority: 4 },
        { title: 'OUTCOME', priority: 6 },
        { title: 'DETAIL', priority: 5 },
      ],
      rows: result.records.map((record) => [
        text(record['seq']) ?? '-',
        showLocalTime(typeof record['time'] === 'string' ? record['time'] : null, context),
        actorOf(record),
        text(record['type']) ?? '-',
        text(record['verb']) ?? '-',
        text(record['target']) ?? '-',
        text(record['outcome']) ?? '-',
        clipped(detailText(record)),
      ]),
      empty: 'No records',
    },
    ...(result.more
      ? [{ kind: 'text', tone: 'quiet', text: 'There are older matching records; raise --limit to see them' } as const]
      : []),
  ];
}

const connectionOptions: readonly Option[] = [
  {
    kind: 'option',
    name: 'connections',
    long: ['connections'],
    summary: 'the connections of users to their containers instead, by default those of the last 30 days',
  },
  {
    kind: 'option',
    name: 'user',
    narrows: true,
    long: ['user'],
    value: 'user',
    summary: 'with --connections: only those of this user',
    complete: 'users',
  },
  { kind: 'option', name: 'counts', long: ['counts'], summary: 'with --connections: their number by day and user' },
];

/** What does not go together with --connections. */
const recordFilters = ['actor', 'verb', 'target', 'session', 'text', 'steps'] as const;

type AuditResult = AuditRecords | ConnectionList | ConnectionCounts;

function auditRows(result: AuditResult): Rows {
  if ('connections' in result) return connectionRows(result);
  return 'counts' in result ? countRows(result) : recordRows(result);
}

function recordRows({ records }: AuditRecords): Rows {
  return {
    columns: ['seq', 'time', 'actor', 'type', 'verb', 'target', 'outcome', 'detail', 'entryPoint'],
    rows: records.map((record) => [
      Number(record['seq']),
      text(record['time']),
      actorName(record),
      text(record['type']),
      text(record['verb']),
      text(record['target']),
      text(record['outcome']),
      detailText(record),
      entryPointOf(record),
    ]),
  };
}

export const audit = defineVerb({
  name: 'audit',
  readsHistory: true,
  summary: 'Search the journal by actor, verb, target and time',
  description: [
    'Every call is recorded before it runs, and a call that changes something also when it ends. Of a refused call the record has the target, if it is one that the verb accepts, and nothing else of the input. Of calls that only read, 2,000 an hour of one admin and 200 of one owner have records; the others are summed up in at most one record per minute. Logins over ssh are recorded when they begin and when they end. Refused logins are summed up in at most one record per minute, and so are refused requests for forwarding and other unsupported SSH features. Times without an offset are UTC.',
    "With --connections it lists the connections of users through the host to their containers, from the log of the host's own sshd: user, container, address, key, begin and end. Where the host has no journal of systemd, it fails, because it cannot know. A connection is `cut` if the process of sshd was killed, as when a key is removed; its end is then the time when that was noticed. If one user makes more than 20 connections in a minute, the others of that minute are only counted.",
  ],
  examples: [
    { line: 'audit', says: 'the newest 50 records' },
    { line: 'audit --actor carol --since 1d', says: 'what Carol did in the last 24 hours' },
    {
      line: 'audit --session 01KB2Y5D0X3V9QK7M4T8N6R1ZC',
      says: 'everything that happened in one login',
    },
    { line: 'audit --target alice --verb delete', says: "who deleted Alice's container" },
    { line: 'audit --text no-space --since 1d', says: 'records of the last day that mention it' },
    { line: 'audit --target alice --steps', says: "and every step of what was done to Alice's container" },
    { line: 'audit --connections --user alice', says: 'when and from where Alice was connected' },
    { line: 'audit --connections --counts --since 7d', says: 'how many connections each user made each day' },
    {
      line: 'audit --connections --since 2026-11-01 --until 2026-12-01 --limit 100000 --format csv > november.csv',
      says: 'a month for an auditor',
    },
  ],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [
    ...filterOptions,
    { kind: 'option', name: 'steps', long: ['steps'], summary: 'also the records of every step of an operation' },
    ...connectionOptions,
  ],
  input: () =>
    z
      .strictObject({
        ...filterInput,
        steps: z.boolean().optional(),
        connections: z.boolean().optional(),
        user: username.optional(),
        counts: z.boolean().optional(),
      })
      .refine(({ connections, user, counts }) => connections === true || (user === undefined && counts !== true), {
        message:
          '--user and --counts require --connections; --target NAME finds what was done to a container, and --actor NAME what an admin did',
      })
      .refine((input) => input.connections !== true || recordFilters.every((name) => input[name] === undefined), {
        message: '--connections goes together with --user, --counts, --since, --until and --limit only',
      }),
  ends: { failed: `${journalEnds.failed}; with --connections also: this host cannot tell` },
  view: (result: AuditResult, context) => {
    if ('connections' in result) return connectionsView(result, context);
    return 'counts' in result ? countsView(result, context) : recordsView(result, context);
  },
  rows: auditRows,
});

export const auditExport = defineVerb({
  name: 'audit export',
  readsHistory: true,
  summary: 'Print journal records as JSON lines',
  description: [
    'Prints one record per line, oldest first, and at most 100,000 records and 16 MiB, the newest. If there are more, export one time range after another.',
  ],
  examples: [{ line: 'audit export --since 30d > november.jsonl', says: 'the last 30 days' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: filterOptions,
  input: () => z.strictObject(filterInput),
  ends: journalEnds,
  view: (result: AuditRecords) => [
    { kind: 'verbatim', text: result.records.map((record) => safeJson(record)).join('\n') },
  ],
  rows: recordRows,
});

/** Returns what was checked, or not checked, outside of the journal. */
function beyond({ archived, anchors }: Extract<AuditVerification, { ok: true }>): string {
  return [
    ...(archived === 0 ? [] : [`; ${plural(archived, 'archived record')} not read (--archive)`]),
    ...(anchors === null ? [] : [`; ${plural(anchors, 'anchor')} match`]),
  ].join('');
}

export const auditVerify = defineVerb({
  name: 'audit verify',
  summary: 'Check the hash chain of the whole journal',
  description: [
    'Reports the first record that was changed, dropped, reordered or cut off, and the first anchor that the journal does not match (`journal.anchor.file`). Records that were archived are in none of these unless `--archive` is given; the journal itself says where they end. On the host it also works while the server does not run, because a server with a damaged journal refuses to start.',
  ],
  examples: [
    { line: 'audit verify', says: 'checks that every record is intact' },
    { line: 'audit verify --archive', says: 'and every archived one, back to the first' },
  ],
  access: { manage: 'viewer' },
  changes: false,
  helpsRepair: true,
  danger: 'none',
  parameters: [
    { kind: 'option', name: 'archive', long: ['archive'], summary: 'also check the records that were archived' },
  ],
  input: () => z.strictObject({ archive: z.boolean().optional() }),
  view: (result: AuditVerification): Block[] => [
    ...(result.ok && result.anchorTrouble !== null
      ? [{ kind: 'text', tone: 'bad', text: `Its anchors were not compared: ${result.anchorTrouble}` } as const]
      : []),
    result.ok
      ? {
          kind: 'text',
          tone: 'good',
          text: `Journal intact: ${plural(result.records, 'record')} in ${plural(result.segments, 'segment')}, head ${result.head.seq} ${result.head.hash.slice(0, 16)}${beyond(result)}`,
        }
      : {
          kind: 'text',
          tone: 'bad',
          text: `Journal damaged: ${result.firstBad.segment} line ${result.firstBad.line}: ${result.firstBad.reason}`,
        },
  ],
  ends: { failed: 'the journal is damaged, or its anchors cannot be read' },
  exit: (result) => (result.ok && result.anchorTrouble === null ? 'ok' : 'failed'),
});
