/** The verbs about the journal. */
import { z } from 'zod';
import { isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts';
import type { AuditRecords, AuditVerification } from '../../domain/results/audit.ts';
import { plural, safeJson } from '../../domain/text.ts';
import { shortDuration } from '../../domain/values/duration.ts';
import { showTime } from '../declaration/show.ts';
import { defineVerb, type Option } from '../declaration/verb.ts';
import type { Block, ViewContext } from '../declaration/view.ts';

const journalEnds = { failed: 'the journal contains an invalid record: run audit verify' } as const;

const filterOptions: readonly Option[] = [
  {
    kind: 'option',
    name: 'actor',
    long: ['actor'],
    value: 'name',
    summary: 'only records of this actor',
    complete: 'admins',
  },
  {
    kind: 'option',
    name: 'verb',
    long: ['verb'],
    value: 'verb',
    summary: 'only records of this verb',
    complete: 'verbs',
  },
  {
    kind: 'option',
    name: 'target',
    long: ['target'],
    value: 'name',
    summary: 'only records with this user or name as the target',
    complete: 'users',
  },
  {
    kind: 'option',
    name: 'session',
    long: ['session'],
    value: 'session',
    summary: 'only records of this login, by its id in session list',
    complete: 'sessions',
  },
  {
    kind: 'option',
    name: 'since',
    long: ['since'],
    value: 'time',
    summary: 'only records since this time: 2h, 3d, yesterday, 2026-11-23, 2026-11-23T14:05:00Z',
  },
  { kind: 'option', name: 'until', long: ['until'], value: 'time', summary: 'only records up to this time' },
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
  actor: z.string().max(64).optional(),
  verb: z.string().max(64).optional(),
  target: z.string().max(256).optional(),
  session: z.string().max(64).optional(),
  since: z.string().max(64).optional(),
  until: z.string().max(64).optional(),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,6}$/, '--limit takes a number from 1 to 9999999')
    .transform(Number)
    .optional(),
};

/** Maximum number of characters of a record's detail in a table. `audit export` prints everything. */
const maxDetailLength = 110;

/** Returns a field of a record as text, or null if the record does not have it. */
function text(value: JsonValue | undefined): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : safeJson(value);
}

function actorName(record: JsonObject): string {
  const actor = record['actor'];
  return text(isJsonObject(actor) ? actor['name'] : actor) ?? '-';
}

/** Returns the DETAIL cell of a record. */
function detailText(record: JsonObject): string {
  const failure = record['failure'];
  if (isJsonObject(failure)) {
    const why = text(failure['why']);
    return `${text(failure['code']) ?? '-'}${why === null ? '' : `: ${why}`}`;
  }
  if (typeof record['kind'] === 'string') return record['kind'];
  switch (record['type']) {
    case 'login':
      return loginText(record);
    case 'logout':
      return [
        `after ${shortDuration(number(record['durationMs']))}`,
        ...(record['reason'] === undefined ? [] : [text(record['reason']) ?? '-']),
      ].join(': ');
    case 'refusals':
      return refusalsText(record);
    case 'unsupported-requests':
    // The name in records of version 0.1.
    case 'not-offered':
      return unsupportedText(record);
    default:
      break;
  }
  const input = record['input'];
  if (isJsonObject(input) && Object.keys(input).length > 0) return safeJson(input);
  return '';
}

/** Returns the entry point, address, key and algorithm of a login. */
function loginText(record: JsonObject): string {
  const { actor, by } = record;
  const from = isJsonObject(actor) ? actor : {};
  const means = isJsonObject(by) ? ` (${text(by['algorithm']) ?? '-'})` : '';
  return `${text(from['entryPoint'] ?? from['door']) ?? '-'}@ from ${text(from['address']) ?? '-'}, ${text(from['fingerprint']) ?? '-'}${means}`;
}

/** Returns the number of refused logins and of their sources, and the most frequent sources. */
function refusalsText(record: JsonObject): string {
  const top = Array.isArray(record['top']) ? record['top'].filter(isJsonObject).slice(0, 3) : [];
  const frequent = top.map((source) => `${text(source['address']) ?? '-'} ${number(source['count'])}`).join(', ');
  return `${plural(number(record['count']), 'refusal')} from ${plural(number(record['sources']), 'source')}: ${frequent}`;
}

/** Returns the number and kinds of unsupported requests, and the people with the most of them. */
function unsupportedText(record: JsonObject): string {
  const top = Array.isArray(record['top']) ? record['top'].filter(isJsonObject).slice(0, 3) : [];
  const frequent = top.map((person) => `${text(person['name']) ?? '-'} ${number(person['count'])}`).join(', ');
  const kinds = isJsonObject(record['asked']) ? Object.keys(record['asked']).join(', ') : '-';
  return `refused ${plural(number(record['count']), 'time')} (${kinds}): ${frequent}`;
}

function number(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}

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
        { title: 'SEQ', align: 'right' },
        { title: 'TIME' },
        { title: 'ACTOR' },
        { title: 'TYPE' },
        { title: 'VERB' },
        { title: 'TARGET' },
        { title: 'OUTCOME' },
        { title: 'DETAIL' },
      ],
      rows: result.records.map((record) => [
        text(record['seq']) ?? '-',
        showTime(typeof record['time'] === 'string' ? record['time'] : null, context),
        actorName(record),
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

export const audit = defineVerb({
  name: 'audit',
  summary: 'Search the journal by actor, verb, target and time',
  description: [
    'Every call is recorded before it runs, and a call that changes something also when it ends. Of a refused call the record has the target, if it is one that the verb accepts, and nothing else of the input. Logins over ssh are recorded when they begin and when they end. Refused logins are summed up in at most one record per minute, and so are refused requests for forwarding and other unsupported SSH features. Times without an offset are UTC.',
  ],
  examples: [
    { line: 'audit', says: 'the newest 50 records' },
    { line: 'audit --actor carol --since 1d', says: 'what Carol did in the last 24 hours' },
    {
      line: 'audit --session 01KB2Y5D0X3V9QK7M4T8N6R1ZC',
      says: 'everything that happened in one login',
    },
    { line: 'audit --target alice --verb delete', says: "who deleted Alice's container" },
  ],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: filterOptions,
  input: z.strictObject(filterInput),
  ends: journalEnds,
  view: recordsView,
  rows: (result) => ({
    columns: ['seq', 'time', 'actor', 'type', 'verb', 'target', 'outcome'],
    rows: result.records.map((record) => [
      Number(record['seq']),
      text(record['time']),
      actorName(record),
      text(record['type']),
      text(record['verb']),
      text(record['target']),
      text(record['outcome']),
    ]),
  }),
});

export const auditExport = defineVerb({
  name: 'audit export',
  summary: 'Print journal records as JSON lines',
  description: [
    'Prints one record per line, oldest first, and at most 100,000 records. If there are more, export one time range after another.',
  ],
  examples: [{ line: 'audit export --since 30d > november.jsonl', says: 'the last 30 days' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: filterOptions,
  input: z.strictObject(filterInput),
  ends: journalEnds,
  view: (result: AuditRecords) => [
    { kind: 'verbatim', text: result.records.map((record) => safeJson(record)).join('\n') },
  ],
});

export const auditVerify = defineVerb({
  name: 'audit verify',
  summary: 'Check the hash chain of the whole journal',
  description: ['Reports the first record that was changed, dropped, reordered or cut off.'],
  examples: [{ line: 'audit verify', says: 'checks that every record is intact' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: z.strictObject({}),
  view: (result: AuditVerification) => [
    result.ok
      ? {
          kind: 'text',
          tone: 'good',
          text: `Journal intact: ${plural(result.records, 'record')} in ${plural(result.segments, 'segment')}, head ${result.head.seq} ${result.head.hash.slice(0, 16)}`,
        }
      : {
          kind: 'text',
          tone: 'bad',
          text: `Journal damaged: ${result.firstBad.segment} line ${result.firstBad.line}: ${result.firstBad.reason}`,
        },
  ],
  ends: { failed: 'the journal is damaged' },
  exit: (result) => (result.ok ? 'ok' : 'failed'),
});
