/** Finds records in a journal. */
import { Failure } from '../domain/failure.ts';
import { parseLine, type JournalRecord } from './chain.ts';
import { damaged } from './problems.ts';
import { firstRecord, listSegments, readLines, segmentName, segmentPath } from './segments.ts';

/** Everything that is given must match. */
export interface JournalFilter {
  /** The name of who did it: the record's `actor`, or its `actor.name`. */
  readonly actor?: string;
  readonly verb?: string;
  readonly target?: string;
  readonly types?: readonly string[];
  /** The login that it came by: the record's `actor.login`. */
  readonly login?: string;
  /** Not before this time. */
  readonly since?: Date;
  /** Not after this time. */
  readonly until?: Date;
  /** At most the last so many of the records that match. */
  readonly limit?: number;
}

/** How far the clock may have been set back between two segments without records being missed, in milliseconds. */
const clockSlackMs = 60 * 60 * 1000;

/**
 * The records that match, oldest first; with `limit` the last so many, oldest first too (as `journalctl -n` does). A
 * limit makes it begin at the newest segment and read only as many as it needs; without one, records are handed on as
 * they are read. Segments outside `since` and `until` are not read. Hashes are not checked: that is `verifyJournal`.
 *
 * May run while records are appended: what is appended meanwhile may be missing. Rejects with `not-found` without a
 * journal, `journal-damaged` for a line that is not a record, `journal-unwritable` when it cannot be read,
 * `invalid-time` or `invalid-count` for a filter that means nothing, and `cancelled`.
 */
export async function* queryJournal(
  folder: string,
  filter: JournalFilter = {},
  signal?: AbortSignal,
): AsyncGenerator<JournalRecord, void, undefined> {
  const { limit } = filter;
  const matches = matcher(filter);
  const all = await listSegments(folder);
  const segments = await segmentsBetween(folder, all, filter);
  const recordsIn = (segment: number): AsyncGenerator<JournalRecord> =>
    recordsOf(folder, segment, segment === all.at(-1), signal);
  if (limit === undefined) {
    for (const segment of segments) {
      for await (const record of recordsIn(segment)) if (matches(record)) yield record;
    }
    return;
  }
  const found: JournalRecord[][] = [];
  let wanted = limit;
  for (const segment of segments.toReversed()) {
    if (wanted === 0) break;
    let newest: JournalRecord[] = [];
    for await (const record of recordsIn(segment)) {
      if (matches(record)) newest.push(record);
      if (newest.length >= 2 * wanted) newest = newest.slice(-wanted);
    }
    newest = newest.slice(-wanted);
    found.push(newest);
    wanted -= newest.length;
  }
  for (const records of found.reverse()) yield* records;
}

/** Whether a record is asked for. Throws `invalid-time` or `invalid-count` for a filter that means nothing. */
function matcher(filter: JournalFilter): (record: JournalRecord) => boolean {
  const { actor, verb, target, types, login, limit } = filter;
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
      (target === undefined || record['target'] === target) &&
      (login === undefined || loginOf(record) === login) &&
      (types === undefined || types.includes(record.type))
    );
  };
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

function loginOf(record: JournalRecord): unknown {
  const actor = record['actor'];
  return typeof actor === 'object' && actor !== null && 'login' in actor ? actor.login : undefined;
}

/** The segments that may hold records between `since` and `until`, ascending, told by when each one begins. */
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
    // What is older than this segment is older than `since` as well.
    if (begins !== undefined && since !== undefined && begins < since.getTime() - clockSlackMs) break;
  }
  return kept.reverse();
}

async function* recordsOf(
  folder: string,
  segment: number,
  isLast: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<JournalRecord, void, undefined> {
  for await (const lines of readLines(segmentPath(folder, segment), { signal })) {
    for (const { number, bytes, form } of lines) {
      // A write that is under way.
      if (form === 'incomplete' && isLast) return;
      const place = { segment: segmentName(segment), line: number };
      if (form !== 'complete')
        throw damaged(folder, place, form === 'incomplete' ? 'the line is incomplete' : 'the line is too long');
      const parsed = parseLine(bytes);
      if (!parsed.ok) throw damaged(folder, place, parsed.reason);
      yield parsed.record;
    }
  }
}
