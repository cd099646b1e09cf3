/** Finds records in the journal. */
import { Failure } from '../domain/failure.ts';
import { parseLine, type JournalRecord } from './chain.ts';
import { damaged } from './failures.ts';
import { NewestRecords } from './newestRecords.ts';
import { firstRecord, listSegments, readLines, segmentName, segmentPath } from './segments.ts';

/** The conditions of a query. A record matches if all given conditions hold. */
export interface JournalFilter {
  /** Name of the actor: the record's `actor`, or its `actor.name`. */
  readonly actor?: string;
  readonly verb?: string;
  /** Names of targets, any of which matches. */
  readonly targets?: readonly string[];
  readonly types?: readonly string[];
  /** Types that do not match. */
  readonly exceptTypes?: readonly string[];
  /** Id of the login: the record's `actor.login`. */
  readonly login?: string;
  /** Text that a record has anywhere, in upper or lower case. */
  readonly text?: string;
  /** Fingerprint of the actor's key: the record's `actor.fingerprint`. Records of steps have none. */
  readonly fingerprint?: string;
  /** Earliest time, inclusive. */
  readonly since?: Date;
  /** Latest time, inclusive. */
  readonly until?: Date;
  /** Returns at most this many records, the newest ones. */
  readonly limit?: number;
  /** With `limit`: no record older than the one with which the records exceed this size, in bytes of their lines. */
  readonly maxBytes?: number;
}

interface FoundLine {
  readonly record: JournalRecord;
  readonly bytes: number;
}

/** How far the clock may have been set back between two segments without a record being missed, in milliseconds. */
const clockSlackMs = 60 * 60 * 1000;

/**
 * Yields the matching records, the oldest first. With `limit` it yields the newest matches, in the same order, as
 * `journalctl -n` does: it reads backwards from the newest segment, and only as many segments as it needs. Without a
 * limit it yields records as it reads them. It skips segments outside `since` and `until`, and does not check hashes;
 * `verifyJournal` does.
 *
 * May run while records are appended, and may then miss the new ones. Rejects with `not-found` without a journal,
 * `journal-damaged` for a line that is not a record, `journal-unwritable` if the journal cannot be read, `invalid-time`
 * or `invalid-count` for an invalid filter, and `cancelled`.
 */
export async function* queryJournal(
  folder: string,
  filter: JournalFilter = {},
  signal?: AbortSignal,
): AsyncGenerator<JournalRecord, void, undefined> {
  const { limit, maxBytes = Infinity } = filter;
  const matches = matcher(filter);
  const all = await listSegments(folder);
  const segments = await segmentsBetween(folder, all, filter);
  const linesOf = (segment: number): AsyncGenerator<FoundLine> =>
    recordLines(folder, segment, segment === all.at(-1), signal);
  if (limit === undefined) {
    for (const segment of segments) {
      for await (const { record } of linesOf(segment)) if (matches(record)) yield record;
    }
    return;
  }
  const found: (readonly JournalRecord[])[] = [];
  let left = { records: limit, bytes: maxBytes };
  for (const segment of segments.toReversed()) {
    if (left.records === 0 || left.bytes < 0) break;
    const newest = new NewestRecords(left);
    for await (const { record, bytes } of linesOf(segment)) if (matches(record)) newest.add(record, bytes);
    const ended = newest.end();
    found.push(ended.records);
    left = ended.left;
  }
  for (const records of found.reverse()) yield* records;
}

/** Returns a function that tests records against the filter. Throws `invalid-time` or `invalid-count`. */
function matcher(filter: JournalFilter): (record: JournalRecord) => boolean {
  const { actor, verb, targets, types, exceptTypes, login, fingerprint, limit } = filter;
  const text = filter.text?.toLowerCase();
  const since = milliseconds('since', filter.since) ?? -Infinity;
  const until = milliseconds('until', filter.until) ?? Infinity;
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw new Failure('invalid-count', { what: `limit ${limit}`, why: 'it must be a whole number, zero or more' });
  }
  return (record) => {
    const time = Date.parse(record.time);
    return (
      time >= since &&
      time <= until &&
      (actor === undefined || actorName(record) === actor) &&
      (verb === undefined || record['verb'] === verb) &&
      (targets === undefined || targets.some((target) => target === record['target'])) &&
      (login === undefined || actorField(record, 'login') === login) &&
      (fingerprint === undefined || actorField(record, 'fingerprint') === fingerprint) &&
      (types === undefined || types.includes(record.type)) &&
      exceptTypes?.includes(record.type) !== true &&
      (text === undefined || textOf(record).includes(text))
    );
  };
}

/** Returns what a record says, in lower case. Its hashes are left out: they contain any short text by chance. */
function textOf(record: JournalRecord): string {
  return JSON.stringify(record, (key, value: unknown) =>
    key === 'hash' || key === 'prev' ? undefined : value,
  ).toLowerCase();
}

function milliseconds(name: string, time: Date | undefined): number | undefined {
  if (time !== undefined && Number.isNaN(time.getTime())) {
    throw new Failure('invalid-time', { what: `"${name}"`, why: 'it is not a time' });
  }
  return time?.getTime();
}

function actorName(record: JournalRecord): unknown {
  const actor = record['actor'];
  return typeof actor === 'object' && actor !== null && 'name' in actor ? actor.name : actor;
}

function actorField(record: JournalRecord, name: 'login' | 'fingerprint'): unknown {
  const actor = record['actor'];
  return typeof actor === 'object' && actor !== null ? (actor as Readonly<Record<string, unknown>>)[name] : undefined;
}

/**
 * Returns the segments that may hold records between `since` and `until`, ascending, by the time of their first record.
 */
async function segmentsBetween(
  folder: string,
  all: readonly number[],
  { since, until }: JournalFilter,
): Promise<readonly number[]> {
  const kept: number[] = [];
  if (since === undefined && until === undefined) return all;
  for (const segment of all.toReversed()) {
    const first = await firstRecord(folder, segment);
    const begins = first === undefined ? undefined : Date.parse(first.time);
    const tooNew = begins !== undefined && until !== undefined && begins > until.getTime() + clockSlackMs;
    if (!tooNew) kept.push(segment);
    // All older segments lie before `since` too.
    if (begins !== undefined && since !== undefined && begins < since.getTime() - clockSlackMs) break;
  }
  return kept.reverse();
}

async function* recordLines(
  folder: string,
  segment: number,
  isLast: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<FoundLine, void, undefined> {
  for await (const lines of readLines(segmentPath(folder, segment), { signal })) {
    for (const { number, bytes, form } of lines) {
      // The last line is being written.
      if (form === 'incomplete' && isLast) return;
      const place = { segment: segmentName(segment), line: number };
      if (form !== 'complete')
        throw damaged(folder, place, form === 'incomplete' ? 'the line is incomplete' : 'the line is too long');
      const parsed = parseLine(bytes);
      if (!parsed.ok) throw damaged(folder, place, parsed.reason);
      yield { record: parsed.record, bytes: bytes.length };
    }
  }
}
